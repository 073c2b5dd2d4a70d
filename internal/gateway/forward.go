package gateway

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// admissionKey carries the decision from ServeHTTP to rewrite, within one
// request and this file.
type admissionKey struct{}

func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, a Admission) {
	g.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), admissionKey{}, a)))
}

// rewrite turns the call that came into the one that goes out. The path goes as
// the bytes that came (Opaque), without a credential anywhere.
func rewrite(p *httputil.ProxyRequest) {
	a, _ := p.In.Context().Value(admissionKey{}).(Admission)
	upstream := a.Route.Upstream
	p.Out.URL = &url.URL{
		Scheme:   upstream.Scheme,
		Host:     upstream.Host,
		Opaque:   strings.TrimSuffix(upstream.EscapedPath(), "/") + a.Path,
		RawQuery: StripQuery(p.In.URL.RawQuery),
	}
	p.Out.Host = upstream.Host
	StripHeaders(p.Out.Header)
	p.SetXForwarded()
}
