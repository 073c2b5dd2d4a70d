package gateway

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/http1"
)

// patience is how long a call may take before the gateway looks whether its
// client is still there.
const patience = 100 * time.Millisecond

// outputSize is room for a head and most bodies, or a part of a large one.
const outputSize = 32 << 10

// outputs lends what is written from, for the time of a call.
var outputs = sync.Pool{New: func() any { return new([outputSize]byte) }}

// call answers the call whose head has been read. It reports whether the
// connection can go on.
func (r *road) call() (again bool) {
	g, q := r.gateway, &r.request
	call := Call{Method: q.Method, Target: q.Path, Subdomain: Subdomain(q.Host, g.config.Domain), Address: r.peer}
	for i := range q.Fields {
		call.Presented.field(q.Fields[i].Name, q.Fields[i].Value)
	}
	call.Presented.query(q.Query)
	if r.trusted {
		call.Address = clientAddress(r.peer, r.values(forwardedFor), g.config.Proxies)
	}
	broken := r.begin()
	admission, refusal := g.decide(r.ctx, call)
	switch {
	case refusal != nil:
		return r.refuse(refusal)
	case broken != nil:
		g.counters.refuse(&brokenBody)
		return r.refuse(&brokenBody)
	case admission.IssueToken:
		token, refusal := g.issueToken(q.Method, admission)
		if refusal != nil {
			return r.refuse(refusal)
		}
		return r.reply(http.StatusOK, keyTokenHeader(), token)
	}
	return r.forward(&exchange{admission: admission, fromProxy: r.trusted, gateway: g.addressOf(call.Subdomain)})
}

// values are those of all fields with a name.
func (r *road) values(name string) []string {
	var all []string
	for _, f := range r.request.Fields {
		if f.Is(name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// forward takes an admitted call to its upstream and the answer back.
func (r *road) forward(x *exchange) (again bool) {
	g := r.gateway
	x.under = forwarded{admission: &x.admission, cut: r.abort}
	g.calls.begin(&x.under)
	defer g.calls.end(&x.under)
	if !g.stands(x) {
		return r.refuse(&invalidKey)
	}
	r.out = outputs.Get().(*[outputSize]byte)
	defer func() { outputs.Put(r.out); r.out = nil }()
	defer r.release(false)
	limit := answerTime
	if x.admission.Route.Timeout > 0 {
		limit = x.admission.Route.Timeout
	}
	answerBy := time.Now().Add(limit)
	stale, err := r.attempt(x, answerBy, false)
	if stale {
		r.release(false)
		_, err = r.attempt(x, answerBy, true)
	}
	if err != nil {
		return r.fail(err)
	}
	g.counters.answer(r.answer.Status)
	return r.relay(x)
}

// attempt sends the call and reads the head of its answer. Stale says that it
// went to a connection that had been open for long, and was closed by the
// upstream without a word, so that the call can be made once more on a new one.
func (r *road) attempt(x *exchange, answerBy time.Time, fresh bool) (stale bool, err error) {
	if err := r.connect(x, answerBy, fresh); err != nil {
		return false, err
	}
	up := r.upstream
	written, err := up.Write(r.body.append(r.appendCall(r.out[:0], x)))
	if err != nil && written == 0 && up.Reused {
		return true, err
	}
	if err == nil && !r.body.whole {
		r.startReader()
	}
	// An upstream may answer and close before it has read everything: then the
	// answer counts, and not that writing failed.
	silent, err := r.readAnswer(answerBy, x.admission.Route.Timeout == 0)
	stale = err != nil && silent && up.Reused && r.reader == nil && repeatable(&r.request) && !errors.Is(err, errSlow)
	return stale, err
}

// repeatable reports whether a call asks for nothing to be done, so that an
// upstream may get it twice (RFC 9110, section 9.2.1).
func repeatable(q *http1.Request) bool {
	return q.Length == 0 && slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE"}, q.Method)
}

// connect gets a connection to one of the upstreams: each in turn, those that
// could not be reached lately last.
func (r *road) connect(x *exchange, answerBy time.Time, fresh bool) error {
	ctx, cancel := r.ctx, func() {}
	if x.admission.Route.Timeout > 0 {
		ctx, cancel = context.WithDeadline(ctx, answerBy)
	}
	defer cancel()
	var err error
	for _, upstream := range r.gateway.upstreams.order(x.admission.Route.Upstreams) {
		x.upstream = upstream
		var conn *http1.Conn
		if conn, err = r.gateway.pool.Get(ctx, upstream, fresh); err == nil {
			r.mu.Lock()
			r.upstream = conn
			cut := r.cut
			r.mu.Unlock()
			if cut {
				sever(conn.Conn)
			}
			watchAt := time.Now().Add(patience)
			if answerBy.Before(watchAt) {
				watchAt = answerBy
			}
			return conn.SetReadDeadline(watchAt)
		}
		if ctx.Err() != nil {
			break // its time was over before it was tried
		}
		r.gateway.upstreams.rest(upstream, err)
	}
	return err
}

// readAnswer reads the head of the final answer; those that come before it are
// passed on (RFC 9110, section 15.2). Silent says that nothing came at all. With
// afterUpload the time does not end while the call itself is still coming.
func (r *road) readAnswer(answerBy time.Time, afterUpload bool) (silent bool, err error) {
	up := r.upstream
	silent = true
	for {
		n, err := r.answer.Parse(up.Held(), r.request.Method)
		switch {
		case err == nil:
			up.Take(n)
			if r.answer.Status >= 200 {
				return false, nil
			}
			if r.answer.Status == http.StatusSwitchingProtocols {
				return false, errUnasked
			}
			if r.answer.Status != http.StatusContinue {
				if _, err := r.conn.Write(r.appendInterim(nil)); err != nil {
					return false, errGone
				}
			}
			continue
		case !errors.Is(err, http1.ErrShort):
			return false, err
		}
		err = up.Fill()
		silent = silent && len(up.Held()) == 0
		if errors.Is(err, os.ErrDeadlineExceeded) {
			r.startReader()
			if afterUpload && !r.reader.uploaded.Load() {
				answerBy = time.Now().Add(answerTime)
			}
			if !time.Now().Before(answerBy) {
				return silent, errSlow
			}
			err = up.SetReadDeadline(answerBy)
		}
		if err != nil {
			return silent, err
		}
	}
}

var errUnasked = errors.New("the upstream switched to another protocol, which nobody asked for")

// fail answers a call that got no answer.
func (r *road) fail(err error) (again bool) {
	gone, broken := r.stopReader(false)
	r.mu.Lock()
	cut := r.cut
	r.mu.Unlock()
	switch {
	case gone || cut || errors.Is(err, errGone):
		return false // nobody is there, or nobody is to have an answer
	case broken:
		return r.refuse(&brokenBody)
	}
	return r.refuse(r.gateway.failed(r.request.Method, err))
}

// release ends the use of the upstream's connection, and keeps it if it can be
// used again.
func (r *road) release(good bool) {
	r.mu.Lock()
	up := r.upstream
	r.upstream = nil
	good = good && !r.cut
	r.mu.Unlock()
	switch {
	case up == nil:
	case good:
		r.gateway.pool.Put(up)
	default:
		sever(up.Conn)
	}
}

// appendCall writes the head of the call for the upstream, without a credential
// anywhere.
func (r *road) appendCall(b []byte, x *exchange) []byte {
	q, route := &r.request, &x.admission.Route
	b = append(append(b, q.Method...), ' ')
	b = append(append(b, x.upstream.Path...), route.Rewrite(x.admission.Path)...)
	if query := StripQuery(q.Query); query != "" || q.Asks && q.Query == "" {
		b = append(append(b, '?'), query...)
	}
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", x.upstream.Host)
	own := [3]string{1: "https", 2: q.Host}
	if !r.secure {
		own[1] = "http"
	}
	for i := range q.Fields {
		f := &q.Fields[i]
		if !passes(f.Name, r.trusted) || f.Is("Forwarded") || len(route.Headers) > 0 && setByRoute(route.Headers, f.Name) {
			continue
		}
		if at := slices.IndexFunc(forwardedBy[:], f.Is); at >= 0 {
			own[at] = f.Value
			continue // once, below
		}
		b = appendField(b, f.Name, f.Value)
	}
	if r.trusted {
		own[0] = strings.Join(append(r.values(forwardedFor), r.host), ", ")
	} else {
		own[0] = r.host
	}
	for i, name := range forwardedBy {
		b = appendField(b, name, own[i])
	}
	for _, h := range route.Headers {
		b = appendField(b, h.Name, h.Value.Reveal())
	}
	return append(r.appendLength(b), "\r\n"...)
}

// appendLength says how long the body of the call is.
func (r *road) appendLength(b []byte) []byte {
	switch n := r.request.Length; {
	case n == http1.Chunked:
		return appendField(b, "Transfer-Encoding", "chunked")
	case n > 0 || slices.Contains([]string{"POST", "PUT", "PATCH"}, r.request.Method):
		b = append(b, "Content-Length: "...)
		return append(strconv.AppendInt(b, n, 10), "\r\n"...)
	}
	return b
}

// forwardedBy are what the gateway says of the client: its address, and how and
// under which name it called.
var forwardedBy = [3]string{forwardedFor, "X-Forwarded-Proto", "X-Forwarded-Host"}

// setByRoute reports whether a route sets a header itself.
func setByRoute(headers []catalog.Header, name string) bool {
	return slices.ContainsFunc(headers, func(h catalog.Header) bool { return strings.EqualFold(h.Name, name) })
}
