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
	under     forwarded
}

// exchangeKey carries the exchange from ServeHTTP to the proxy's hooks, within
// one request and this package.
type exchangeKey struct{}

func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, x *exchange) {
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), exchangeKey{}, x))
	defer cancel()
	x.under = forwarded{admission: &x.admission, upgraded: r.Header.Get("Upgrade") != "", cut: cancel}
	g.calls.begin(&x.under)
	defer g.calls.end(&x.under)
	if !g.stands(x) {
		invalidKey.write(w)
		return
	}
	// An answer may begin before the call has been read to its end: else HTTP/1.1
	// would hold it up and take the rest of the call away from the upstream.
	_ = http.NewResponseController(w).EnableFullDuplex()
	g.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// stands counts a registered call as admitted, unless its key has died between
// the decision and the register that sweeps go by.
func (g *Gateway) stands(x *exchange) bool {
	if x.admission.Slot != 0 && !g.table.Load().stillAdmits(&x.admission) {
		g.counters.refuse(&invalidKey)
		return false
	}
	g.counters.admitted.Add(1)
	return true
}

// answerTime is how long an upstream may take to begin its answer where its
// route says nothing.
const answerTime = 5 * time.Minute

// newTransport keeps connections to upstreams, and buffers nothing.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
		ResponseHeaderTimeout: answerTime,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		WriteBufferSize:       8 << 10,
		ReadBufferSize:        8 << 10,
	}
}

// newProxy is the road to upstreams for calls that came through net/http:
// nothing is buffered, and answers pass as they come.
func (g *Gateway) newProxy() *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport:     g.upstreams,
		FlushInterval: -1,
		Rewrite:       rewrite,
		ModifyResponse: func(r *http.Response) error {
			g.counters.answer(r.StatusCode)
			return modifyResponse(r)
		},
		BufferPool: &buffers{},
		ErrorLog:   slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				panic(http.ErrAbortHandler) // the client went, or its key died
			}
			g.failed(r.Method, err).write(w)
		},
	}
}

// failed counts a call that got no answer, and says what to answer instead.
func (g *Gateway) failed(method string, err error) *Refusal {
	g.log.Debug("calling upstream", "error", err, "method", method)
	if timeout := net.Error(nil); errors.Is(err, errSlow) || errors.As(err, &timeout) && timeout.Timeout() {
		g.counters.timedOut.Add(1)
		return &upstreamSlow
	}
	g.counters.unreachable.Add(1)
	return &upstreamDown
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
	allowOrigin(r.Header, r.Request.Header.Get("Origin"), x.admission.Route.CORS)
	readdress(r.Header, x)
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
