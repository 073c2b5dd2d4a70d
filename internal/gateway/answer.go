package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// pointers are the response headers that may hold an address of the upstream
// (Azure REST API guidelines, "Long-running operations").
var pointers = []string{"Location", "Operation-Location", "Azure-Asyncoperation", "Content-Location"}

// readdress makes what points at the upstream point at the gateway, so that a
// client can follow it with its key. What points elsewhere is left alone.
func readdress(h http.Header, upstream *url.URL, gateway string, route func(path string) string) {
	for _, name := range pointers {
		values := h[name]
		for i, v := range values {
			at, err := url.Parse(v)
			if err != nil || !strings.EqualFold(at.Host, upstream.Host) || (at.Scheme != "http" && at.Scheme != "https") {
				continue
			}
			to := gateway + route(at.EscapedPath())
			if at.RawQuery != "" {
				to += "?" + at.RawQuery
			}
			values[i] = to
		}
	}
}
