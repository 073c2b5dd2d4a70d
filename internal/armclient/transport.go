package armclient

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	twinkey "github.com/twinkey/twinkey"
)

// newTransport connects to servers that a certificate in roots vouches for, or
// one of the system's if roots is nil.
func newTransport(roots *x509.CertPool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     30 * time.Second,
		MaxIdleConnsPerHost: 2,
	}
}

// keepRedirect hands a redirect back as the answer it is. Following it would
// show the token to whoever the answer names.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// baseURL reads a configured URL and drops its trailing slashes.
func baseURL(what, text string) (*url.URL, error) {
	if text == "" {
		return nil, twinkey.Errorf(twinkey.Invalid, "no %s is given", what)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, badURL(what, withoutUser(text), "it is not an absolute URL such as https://localhost:8443")
	}
	switch {
	case u.User != nil:
		return nil, badURL(what, u.Host, "it holds a user name or a password")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, badURL(what, u.Host, "it holds a query or a fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, badURL(what, text, "a token must not travel unencrypted; use https")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, badURL(what, text, "use https")
	}
	u.Host = strings.ToLower(u.Host)
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// withoutUser cuts what may be credentials out of a text that is no URL.
func withoutUser(text string) string {
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		return text[at+1:]
	}
	return text
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sameOrigin reports whether u is served by the same scheme, host and port as
// base.
func sameOrigin(base, u *url.URL) bool {
	return strings.EqualFold(base.Scheme, u.Scheme) &&
		strings.EqualFold(base.Hostname(), u.Hostname()) && port(base) == port(u) && u.User == nil
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "http") {
		return "80"
	}
	return "443"
}
