package gateway

import (
	"net"
	"net/url"
	"strings"

	"github.com/twinkey/twinkey"
)

// Subdomain is the one label before domain in a host, folded; "" if the host is
// not directly below domain. Such a host admits only its own account; every
// other host is the shared address.
func Subdomain(host, domain string) string {
	if domain == "" {
		return ""
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	label, ok := strings.CutSuffix(twinkey.Fold(strings.TrimSuffix(host, ".")), "."+twinkey.Fold(domain))
	if !ok || label == "" || strings.Contains(label, ".") {
		return ""
	}
	return label
}

// OwnURL is the address of an account that has a sub-domain: the shared
// address's scheme and port with the account's own host.
func OwnURL(shared, subdomain, domain string) string {
	u, err := url.Parse(shared)
	if err != nil {
		return shared
	}
	port := u.Port()
	u.Host = subdomain + "." + domain
	if port != "" {
		u.Host += ":" + port
	}
	return u.String()
}
