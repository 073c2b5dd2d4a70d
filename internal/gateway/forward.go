package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// exchange is one call on its way: what came, and what was decided.
type exchange struct {
	admission Admission
	fromProxy bool     // the peer is a trusted proxy
	gateway   string   // the address the client was given, without a path
	upstream  *url.URL // that was tried last
}

// exchangeKey carries the exchange from ServeHTTP to the proxy's hooks, within
// one request and this package.
type exchangeKey struct{}

func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, x *exchange) {
	r, end := g.calls.begin(r, x.admission)
	defer end()
	if x.admission.Slot != 0 && !g.table.Load().stillAdmits(&x.admission) {
		g.counters.refuse(&invalidKey)
		invalidKey.write(w) // the key died between the decision and the register that sweeps go by
		return
	}
	// An answer may begin before the call has been read to its end: else HTTP/1.1
	// would hold it up and take the rest of the call away from the upstream.
	_ = http.NewResponseController(w).EnableFullDuplex()
	g.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
}

// newProxy is the road to upstreams: connections are reused, nothing is
// buffered, and answers pass as they come.
func newProxy(log *slog.Logger, now func() time.Time, counters *counters) *httputil.ReverseProxy {
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
		ResponseHeaderTimeout: 5 * time.Minute,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		WriteBufferSize:       8 << 10,
		ReadBufferSize:        8 << 10,
	}
	return &httputil.ReverseProxy{
		Transport:     &upstreams{transport: transport, log: log, now: now},
		FlushInterval: -1,
		Rewrite:       rewrite,
		ModifyResponse: func(r *http.Response) error {
			counters.answer(r.StatusCode)
			return modifyResponse(r)
		},
		BufferPool: &buffers{},
		ErrorLog:   slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				panic(http.ErrAbortHandler) // the client went, or its key died
			}
			log.Debug("calling upstream", "error", err, "method", r.Method)
			if timeout := net.Error(nil); errors.Is(err, errSlow) || errors.As(err, &timeout) && timeout.Timeout() {
				counters.timedOut.Add(1)
				upstreamSlow.write(w)
				return
			}
			counters.unreachable.Add(1)
			upstreamDown.write(w)
		},
	}
}

// rewrite turns the call that came into the one that goes out, without a
// credential anywhere.
func rewrite(p *httputil.ProxyRequest) {
	x := p.In.Context().Value(exchangeKey{}).(*exchange)
	p.Out.URL = &url.URL{RawQuery: StripQuery(p.In.URL.RawQuery), ForceQuery: p.In.URL.ForceQuery} // where to is for upstreams to say
	StripHeaders(p.Out.Header, x.fromProxy)
	for name := range p.In.Header {
		if x.fromProxy && strings.HasPrefix(name, "X-Forwarded-") {
			p.Out.Header[name] = p.In.Header[name]
		}
	}
	StripHeaders(p.Out.Trailer, false)
	for _, h := range x.admission.Route.Headers {
		p.Out.Header[h.Name] = []string{h.Value.Reveal()}
	}
	keep := p.Out.Header["X-Forwarded-Proto"]
	host := p.Out.Header["X-Forwarded-Host"]
	p.SetXForwarded()
	if x.fromProxy && keep != nil {
		p.Out.Header["X-Forwarded-Proto"] = keep
	}
	if x.fromProxy && host != nil {
		p.Out.Header["X-Forwarded-Host"] = host
	}
}

func modifyResponse(r *http.Response) error {
	x := r.Request.Context().Value(exchangeKey{}).(*exchange)
	upstream := x.upstream
	allowOrigin(r.Header, r.Request.Header.Get("Origin"), x.admission.Route.CORS)
	readdress(r.Header, upstream, x.gateway, func(path string) string {
		if public, ok := x.admission.Route.Restore(upstream, path, x.admission.Path); ok {
			return public
		}
		return strings.TrimPrefix(path, upstream.Path)
	})
	return nil
}

// buffers lends copy buffers to the proxy.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) {
	if len(buffer) == bufferSize {
		b.pool.Put((*[bufferSize]byte)(buffer))
	}
}
