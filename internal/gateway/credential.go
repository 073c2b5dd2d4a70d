package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// maxKey is the longest key that is looked at; longer ones are refused before
// they are hashed.
const maxKey = 256

// The names a key travels under (Azure AI services, "Authenticate requests";
// Azure OpenAI REST reference; API Management's default query parameter).
const (
	keyHeader    = "Ocp-Apim-Subscription-Key"
	apiKeyHeader = "Api-Key"
	keyQuery     = "subscription-key"

	authorization = "Authorization"
)

// Presented is what a call shows for itself.
type Presented struct {
	Key      string // "" if none
	Token    string // a bearer that looks like a JWT; "" if none
	Conflict bool   // several keys, not all the same

	keyToken *keyClaims // what Token says, if it came from issueToken and is good
}

// Extract collects every credential in a request's headers and raw query. All
// keys must agree. A bearer that has the shape of a JWT is a token, any other
// bearer is a key.
func Extract(h http.Header, rawQuery string) Presented {
	var p Presented
	for _, name := range [...]string{keyHeader, apiKeyHeader, authorization} {
		for _, v := range h[name] {
			p.field(name, v)
		}
	}
	p.query(rawQuery)
	return p
}

// field takes the credential out of one header, if there is one in it.
func (p *Presented) field(name, value string) {
	switch len(name) {
	case len(keyHeader), len(apiKeyHeader):
		if strings.EqualFold(name, keyHeader) || strings.EqualFold(name, apiKeyHeader) {
			p.add(value)
		}
	case len(authorization):
		if !strings.EqualFold(name, authorization) {
			return
		}
		if bearer, ok := bearerOf(value); ok {
			if looksLikeToken(bearer) {
				p.Token = bearer
			} else {
				p.add(bearer)
			}
		}
	}
}

func (p *Presented) query(rawQuery string) {
	for name, value := range parameters(rawQuery) {
		if isKeyParameter(name) {
			p.add(value)
		}
	}
}

// StripHeaders removes everything Extract reads and what only we may say;
// unless the peer is a trusted proxy, also what only a proxy in front may say.
func StripHeaders(h http.Header, fromProxy bool) {
	for name := range h {
		if !passes(name, fromProxy) {
			delete(h, name)
		}
	}
}

// passes reports whether a header may go on to an upstream.
func passes(name string, fromProxy bool) bool {
	if len(name) < len(apiKeyHeader) {
		return true
	}
	switch name[0] | 0x20 {
	case 'o':
		return !strings.EqualFold(name, keyHeader)
	case 'a':
		return !strings.EqualFold(name, apiKeyHeader) && !strings.EqualFold(name, authorization)
	case 'f':
		return fromProxy || !strings.EqualFold(name, "Forwarded")
	case 'x':
		return !hasPrefixFold(name, "X-Twinkey-") && (fromProxy || !hasPrefixFold(name, "X-Forwarded-"))
	}
	return true
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// StripQuery cuts key parameters out of a raw query and leaves every other byte
// as it came.
func StripQuery(rawQuery string) string {
	if rawQuery == "" {
		return ""
	}
	var kept []string
	for part := range strings.SplitSeq(rawQuery, "&") {
		name, _, _ := strings.Cut(part, "=")
		if !isKeyParameter(unescape(name)) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

func (p *Presented) add(key string) {
	switch {
	case key == "":
	case p.Key == "":
		p.Key = key
	case p.Key != key:
		p.Conflict = true
	}
}

// parameters yields the decoded names and values of a raw query, separated by
// '&' alone, as StripQuery cuts it.
func parameters(rawQuery string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		if rawQuery == "" {
			return
		}
		for part := range strings.SplitSeq(rawQuery, "&") {
			name, value, _ := strings.Cut(part, "=")
			if !yield(unescape(name), unescape(value)) {
				return
			}
		}
	}
}

func isKeyParameter(name string) bool {
	return strings.EqualFold(name, keyQuery) || strings.EqualFold(name, keyHeader)
}

// unescape decodes a query component; what cannot be decoded stays as it is.
func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

func bearerOf(authorization string) (string, bool) {
	scheme, rest, ok := strings.Cut(authorization, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

// looksLikeToken reports whether s has a JWT's form: three parts of base64url,
// the first of which begins an object (RFC 7519, section 3).
func looksLikeToken(s string) bool {
	if !strings.HasPrefix(s, "ey") || strings.Count(s, ".") != 2 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}
