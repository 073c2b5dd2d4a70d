package arm

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// authenticate finds out who calls. A refusal carries the challenge from which
// clients learn the tenant of a subscription before they sign in (RFC 6750,
// section 3; Azure's authorization_uri parameter).
func (s *surface) authenticate(w http.ResponseWriter, r *http.Request, req *Request, tenant string) error {
	bearer, err := bearerOf(r.Header)
	if err == nil {
		req.Who.Principal, err = s.config.Authenticator.Authenticate(r.Context(), bearer)
	}
	if err == nil {
		web.Note(r).Caller = req.Who.Label()
		return nil
	}
	if status, _ := StatusOf(err); status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", s.challenge(tenant, twinkey.MessageOf(err)))
	}
	return err
}

// challenge names the authority of the tenant, or of any tenant when the path
// names no subscription.
func (s *surface) challenge(tenant, description string) string {
	if tenant == "" {
		tenant = "common"
	}
	quoted := strings.Map(func(c rune) rune {
		if c == '"' || c == '\\' || c < ' ' || c > '~' {
			return '\''
		}
		return c
	}, description)
	return fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`, s.config.PublicURL, tenant, quoted)
}

// bearerOf takes the token out of the header.
func bearerOf(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", WithCode("AuthenticationFailed", twinkey.Errorf(twinkey.Unauthenticated, "Authentication failed. The 'Authorization' header is missing."))
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t") {
		return "", WithCode("AuthenticationFailed", twinkey.Errorf(twinkey.Unauthenticated, "Authentication failed. The 'Authorization' header is provided in an invalid format."))
	}
	return token, nil
}
