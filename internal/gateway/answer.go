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

func isPointer(name string) bool {
	switch len(name) {
	case 8, 16, 18, 20:
		return slices.ContainsFunc(pointers, func(p string) bool { return strings.EqualFold(p, name) })
	}
	return false
}

// readdress makes what points at the upstream point at the gateway, so that a
// client can follow it with its key.
func readdress(h http.Header, x *exchange) {
	for _, name := range pointers {
		for i, v := range h[name] {
			h[name][i] = x.readdress(v)
		}
	}
}

// readdress does so with one address. What points elsewhere is left alone, and so
// is a reference without a slash in front: it stays right where it is read.
func (x *exchange) readdress(location string) string {
	at, err := url.Parse(location)
	if err != nil {
		return location
	}
	path := at.EscapedPath()
	switch {
	case strings.EqualFold(at.Host, x.upstream.Host) && (at.Scheme == "http" || at.Scheme == "https" || at.Scheme == ""):
		return x.gateway + x.public(path) + after(location)
	case at.Host == "" && at.Scheme == "" && strings.HasPrefix(path, "/") && !strings.HasPrefix(location, "//"):
		// The client called the gateway at an address that need not be the one the
		// gateway has for itself: the reference stays without one.
		return x.public(path) + after(location)
	}
	return location
}

// public is the path under which a client reaches path at the upstream. It
// begins with one slash: without one it would go on the host it is put after,
// and with two it would be read as another (RFC 3986, section 4.2).
func (x *exchange) public(path string) string {
	to, ok := x.admission.Route.Restore(x.upstream, path, x.admission.Path)
	if !ok {
		to = strings.TrimPrefix(path, x.upstream.Path)
	}
	if to != "" && to[0] != '/' {
		to = path
	}
	if strings.HasPrefix(to, "//") {
		to = "/" + strings.TrimLeft(to, "/")
	}
	return to
}

// after is what follows the path of a URL, as it was written.
func after(location string) string {
	if i := strings.IndexAny(location, "?#"); i >= 0 {
		return location[i:]
	}
	return ""
}
