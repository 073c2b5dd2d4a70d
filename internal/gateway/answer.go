package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// pointers are the response headers that may hold an address of the upstream
// (Azure REST API guidelines, "Long-running operations").
var pointers = []string{"Location", "Operation-Location", "Azure-Asyncoperation", "Content-Location"}

// readdress makes what points at the upstream point at the gateway, so that a
// client can follow it with its key. What points elsewhere is left alone.
func readdress(h http.Header, x *exchange) {
	for _, name := range pointers {
		for i, v := range h[name] {
			h[name][i] = x.readdress(v)
		}
	}
}

// readdress does so with one address.
func (x *exchange) readdress(address string) string {
	at, err := url.Parse(address)
	if err != nil || !strings.EqualFold(at.Host, x.upstream.Host) || (at.Scheme != "http" && at.Scheme != "https") {
		return address
	}
	path := at.EscapedPath()
	public, ok := x.admission.Route.Restore(x.upstream, path, x.admission.Path)
	if !ok {
		public = strings.TrimPrefix(path, x.upstream.Path)
	}
	to := x.gateway + public
	if at.RawQuery != "" {
		to += "?" + at.RawQuery
	}
	return to
}

func isPointer(name string) bool {
	switch len(name) {
	case 8, 16, 18, 20:
		return slices.ContainsFunc(pointers, func(p string) bool { return strings.EqualFold(p, name) })
	}
	return false
}
