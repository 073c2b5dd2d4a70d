package web

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Conns serves connections without net/http.
type Conns interface {
	// ServeConn serves a connection, plain or with TLS set up, to its end and
	// returns nil; or it returns the connection, from the first request on that it
	// has not answered, for net/http to go on with. ctx ends when no further
	// request is wanted. It may panic.
	ServeConn(ctx context.Context, conn net.Conn) net.Conn
}

// front stands between a listener and net/http: it shakes hands, and hands to
// net/http what speaks HTTP/2 and what its Conns leaves.
type front struct {
	server *Server
	passed chan net.Conn
	ctx    context.Context // over when the server drains
	drain  context.CancelFunc
	failed chan error // of the listener

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	empty chan struct{} // closed when the last of conns has gone, while draining
}

func newFront(s *Server) *front {
	f := &front{server: s, passed: make(chan net.Conn), failed: make(chan error, 1), conns: map[net.Conn]struct{}{}}
	f.ctx, f.drain = context.WithCancel(context.Background())
	return f
}

// accept takes connections until the listener is closed. One that cannot be
// taken for the moment, for want of descriptors, is tried again a little later,
// as net/http does.
func (f *front) accept(l net.Listener) {
	const longest = time.Second
	for pause := 5 * time.Millisecond; ; {
		conn, err := l.Accept()
		if err == nil {
			pause = 5 * time.Millisecond
			go f.serve(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) || f.ctx.Err() != nil {
			f.failed <- err
			return
		}
		f.server.config.Log.Warn("accepting a connection", "surface", f.server.config.Name, "error", err)
		select {
		case <-time.After(pause):
		case <-f.ctx.Done(): // the next failure is the last
		}
		pause = min(2*pause, longest)
	}
}

// serve takes a connection as far as its end, or to net/http.
func (f *front) serve(conn net.Conn) {
	defer func() {
		if value := recover(); value != nil {
			f.server.logPanic(value, "")
			f.exit(conn)
			_ = conn.Close()
		}
	}()
	if !f.enter(conn) {
		_ = conn.Close()
		return
	}
	rest := f.greet(conn)
	f.exit(conn)
	if rest == nil {
		return
	}
	select {
	case f.passed <- rest:
	case <-f.ctx.Done():
		_ = rest.Close()
	}
}

// greet shakes hands and serves; it returns what net/http is to go on with.
func (f *front) greet(conn net.Conn) net.Conn {
	if f.server.config.TLS == nil {
		return f.server.config.Conns.ServeConn(f.ctx, conn)
	}
	secure := tls.Server(conn, f.server.config.TLS)
	ctx, cancel := context.WithTimeout(f.ctx, f.server.http.ReadHeaderTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		f.refused(conn, err)
		return nil
	}
	state := secure.ConnectionState()
	if state.NegotiatedProtocol == "h2" {
		return secure
	}
	rest := f.server.config.Conns.ServeConn(f.ctx, secure)
	if rest == nil || rest == net.Conn(secure) {
		return rest
	}
	return secured{rest, &state}
}

// refused tells a client that speaks plain HTTP to a port for HTTPS so, and ends
// the connection.
func (f *front) refused(conn net.Conn, err error) {
	if header, ok := errors.AsType[tls.RecordHeaderError](err); ok && header.Conn != nil {
		switch string(header.RecordHeader[:]) {
		case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH":
			_, _ = header.Conn.Write([]byte("HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks HTTPS: begin the address with https://.\n"))
		}
	}
	f.server.config.Log.Debug("connection", "surface", f.server.config.Name, "message", "TLS handshake error")
	_ = conn.Close()
}

func (f *front) enter(conn net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return false
	}
	f.conns[conn] = struct{}{}
	return true
}

func (f *front) exit(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, conn)
	if f.empty != nil && len(f.conns) == 0 {
		close(f.empty)
		f.empty = nil
	}
}

// shutdown waits until the requests under way are answered; when ctx ends first,
// it cuts them and returns ctx's error.
func (f *front) shutdown(ctx context.Context) error {
	f.mu.Lock()
	var empty chan struct{}
	if len(f.conns) > 0 {
		empty = make(chan struct{})
		f.empty = empty
	}
	f.mu.Unlock()
	if empty == nil {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.empty = nil
	for conn := range f.conns {
		_ = conn.Close()
	}
	return ctx.Err()
}

// listener is what net/http accepts from.
func (f *front) listener(l net.Listener) net.Listener { return remainder{l, f} }

type remainder struct {
	net.Listener
	front *front
}

// Accept returns the next connection that is for net/http.
func (r remainder) Accept() (net.Conn, error) {
	select {
	case conn := <-r.front.passed:
		return conn, nil
	case err := <-r.front.failed:
		return nil, err
	}
}

// secured is a connection below which there is TLS, though net/http cannot see
// it.
type secured struct {
	net.Conn
	state *tls.ConnectionState
}

// CloseWrite is what net/http asks for to end a connection in good order.
func (c secured) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

type tlsKey struct{}

// withTLS keeps what is known of a connection's TLS for its requests.
func withTLS(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(secured); ok {
		return context.WithValue(ctx, tlsKey{}, c.state)
	}
	return ctx
}

func tlsOf(ctx context.Context) *tls.ConnectionState {
	state, _ := ctx.Value(tlsKey{}).(*tls.ConnectionState)
	return state
}
