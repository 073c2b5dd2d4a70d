package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/twinkey/twinkey/internal/http1"
)

// How long a client may take.
const (
	headTime = 10 * time.Second       // to begin its first call, and to finish a head it has begun
	idleTime = 2 * time.Minute        // between two calls
	slack    = 5 * time.Second        // that both may last longer, so that not every call sets a timer
	farewell = 500 * time.Millisecond // to take an answer that ends the connection
)

// What a connection holds in memory, in bytes.
const (
	inputSize = 4 << 10
	maxHead   = 16 << 10  // a longer one is left to net/http
	maxUnread = 256 << 10 // of a body nobody wants
)

// longAgo is a deadline that wakes whoever waits.
var longAgo = time.Unix(1, 0)

// errLeaving ends a connection because the server drains.
var errLeaving = errors.New("no further call is wanted")

// road is a client's connection whose calls are in plain form. Most calls come
// by it, at a third of what net/http spends: one goroutine a connection, no buffer
// while it waits, and for a small call one write to each side.
type road struct {
	gateway *Gateway
	ctx     context.Context // for asking on behalf of a call
	conn    net.Conn
	peer    netip.Addr
	host    string // peer as text
	trusted bool   // peer is one of the proxies
	secure  bool

	raw      syscall.RawConn // of a plain connection
	readNow  func(fd uintptr) bool
	lent     *[inputSize]byte // what in is in; nil: memory of its own
	in       []byte
	from, to int       // what in holds that has not been taken
	deadline time.Time // for reading, as set last; zero: none
	served   bool      // at least one call

	request http1.Request
	answer  http1.Response
	body    body    // of the call under way
	reader  *reader // of the call under way, if there is one
	out     *[outputSize]byte
	date    string // a line of the header, for this second
	second  int64

	mu       sync.Mutex
	upstream *http1.Conn // of the call under way
	cut      bool        // the key of the call under way has died
	waiting  bool        // for a call
	leaving  bool
}

// ServeConn answers the calls of a connection as long as they are in plain form.
// It returns nil when the connection has ended, or else the connection, beginning
// with the first call it did not answer, for net/http's server to go on with.
// When ctx ends, the call under way is the last.
func (g *Gateway) ServeConn(ctx context.Context, conn net.Conn) net.Conn {
	if g.log.Enabled(ctx, slog.LevelDebug) {
		return conn // every call is to have its line, which net/http's server sees to
	}
	r := &road{gateway: g, ctx: context.WithoutCancel(ctx), conn: conn}
	if plain, ok := conn.(*net.TCPConn); ok {
		r.raw, _ = plain.SyscallConn() // never fails on a connection that is open
		r.readNow = r.readLent
	}
	r.peer = peerAddress(conn.RemoteAddr().String())
	r.host, r.trusted = r.peer.String(), within(r.peer, g.config.Proxies)
	_, r.secure = conn.(*tls.Conn)
	defer context.AfterFunc(ctx, r.leave)()
	for {
		n, err := r.next()
		if errors.Is(err, http1.ErrForm) || err == nil && r.request.Method == http.MethodOptions {
			_ = conn.SetDeadline(time.Time{})
			return &continued{Conn: conn, before: r.in[r.from:r.to]} // what OPTIONS asks, ServeHTTP answers
		}
		if err == nil {
			r.take(n)
			r.served = true
		}
		if err != nil || !r.call() {
			_ = conn.Close()
			return nil
		}
	}
}

// next reads the head of a call and returns how long it is. ErrForm says that it
// is not in plain form, or too long.
func (r *road) next() (int, error) {
	for begun := false; ; {
		held := r.in[r.from:r.to]
		if len(held) > 0 {
			n, err := r.request.Parse(held)
			if !errors.Is(err, http1.ErrShort) {
				return n, err
			}
			if len(held) >= maxHead {
				return 0, http1.ErrForm
			}
		}
		var err error
		if len(held) == 0 {
			err = r.wait()
		} else {
			if !begun {
				r.readWithin(headTime) // for the whole head
			}
			begun = true
			err = r.fill()
		}
		if err != nil {
			return 0, err
		}
	}
}

// fill reads more behind what is held.
func (r *road) fill() error {
	if r.to == len(r.in) {
		if r.from == 0 {
			r.in = append(r.in, make([]byte, len(r.in))...)
		}
		r.to = copy(r.in, r.in[r.from:r.to])
		r.from = 0
	}
	n, err := r.conn.Read(r.in[r.to:])
	r.to += n
	if n > 0 {
		return nil
	}
	return err
}

// wait waits for a call, which the end of the server interrupts. Nothing is held,
// and meanwhile no buffer either, if the connection is a plain one: ten thousand
// that say nothing shall not cost much.
func (r *road) wait() error {
	limit := idleTime
	if !r.served {
		limit = headTime
	}
	r.readWithin(limit)
	if !r.await(true) {
		return errLeaving
	}
	defer r.await(false)
	r.forget()
	if r.raw == nil {
		if len(r.in) != inputSize {
			r.in = make([]byte, inputSize)
		}
		n, err := r.conn.Read(r.in)
		if r.to = n; n > 0 {
			return nil
		}
		return err
	}
	if r.lent != nil {
		inputs.Put(r.lent)
		r.lent, r.in = nil, nil
	}
	err := r.raw.Read(r.readNow)
	if err == nil && r.to == 0 {
		err = io.EOF
	}
	return err
}

// forget lets go of everything the last call has left: its key among it.
func (r *road) forget() {
	r.from, r.to, r.body, r.out = 0, 0, body{}, nil
	r.request = http1.Request{Fields: emptied(r.request.Fields)}
	r.answer = http1.Response{Fields: emptied(r.answer.Fields)}
}

// emptied is room for as many fields as most heads have, or none.
func emptied(fields []http1.Field) []http1.Field {
	const most = 64
	if cap(fields) > most {
		return nil
	}
	clear(fields[:cap(fields)])
	return fields[:0]
}

// readLent reads what there is into a buffer lent for it; false: there is nothing.
func (r *road) readLent(fd uintptr) bool {
	r.lent = inputs.Get().(*[inputSize]byte)
	r.in = r.lent[:]
	for {
		n, err := syscall.Read(int(fd), r.in)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			inputs.Put(r.lent)
			r.lent, r.in = nil, nil
			return false
		}
		r.to = max(n, 0) // an error ends the connection as its end does
		return true
	}
}

// inputs lends what heads are read into.
var inputs = sync.Pool{New: func() any { return new([inputSize]byte) }}

// readWithin sets the deadline for reading, if the one there is does not do.
func (r *road) readWithin(limit time.Duration) {
	soonest := time.Now().Add(limit)
	if r.deadline.Before(soonest) || r.deadline.After(soonest.Add(slack)) {
		r.deadline = soonest.Add(slack)
		_ = r.conn.SetReadDeadline(r.deadline) // a connection that is gone says so when it is read
	}
}

// await notes whether the connection waits for a call; false: it must not.
func (r *road) await(waits bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = waits
	if !waits && r.leaving {
		r.deadline = time.Time{} // leave has set another
	}
	return !r.leaving
}

// leave makes the call under way the last.
func (r *road) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaving = true
	if r.waiting {
		_ = r.conn.SetReadDeadline(longAgo)
	}
}

// abort ends the call under way and the connection, at once.
func (r *road) abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	sever(r.conn)
	if r.upstream != nil {
		sever(r.upstream.Conn)
	}
}

// sever closes what is below a connection: TLS would take its time to say
// goodbye.
func sever(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	_ = conn.Close()
}

// take marks bytes held as taken.
func (r *road) take(n int) {
	if r.from += n; r.from == r.to {
		r.from, r.to = 0, 0
	}
}

// linger ends a connection on which the client may still be sending, so that it
// gets to read the answer (RFC 9112, section 9.6).
func (r *road) linger() {
	if c, ok := r.conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
		_ = r.conn.SetReadDeadline(time.Now().Add(farewell))
		_, _ = io.CopyN(io.Discard, r.conn, maxUnread)
	}
}

// continued is a connection from which something has been read already.
type continued struct {
	net.Conn
	before []byte
}

// Read returns first what had been read before.
func (c *continued) Read(b []byte) (int, error) {
	if len(c.before) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.before)
	c.before = c.before[n:]
	return n, nil
}

// CloseWrite is what net/http asks for to end a connection in good order.
func (c *continued) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}
