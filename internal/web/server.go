package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/twinkey/twinkey"
)

// What the fields of Config that are zero stand for.
const (
	defaultHeaderTimeout  = 10 * time.Second
	defaultIdleTimeout    = 2 * time.Minute
	defaultMaxHeaderBytes = 64 << 10
)

// Config says how to serve one surface.
type Config struct {
	Name    string       // of the surface, in the log
	Handler http.Handler // required
	Log     *slog.Logger // zero: slog's default
	OnPanic ErrorFunc    // answers a request whose handler panicked; zero: a bare 500
	TLS     *tls.Config  // zero: plain HTTP
	Conns   Conns        // asked first for each connection that speaks HTTP/1.1; zero: nobody is

	Quiet bool // requests are logged at level debug only: for surfaces strangers call as often as they like

	HeaderTimeout  time.Duration // to finish the TLS handshake and to send the header; zero: 10 s
	RequestTimeout time.Duration // to send the whole request; zero: no limit, for surfaces that stream
	IdleTimeout    time.Duration // between two requests of a connection; zero: 2 min
	MaxHeaderBytes int           // net/http admits some KiB more; zero: 64 KiB
}

// Server serves one surface.
type Server struct {
	config Config
	http   *http.Server
	front  *front // zero: none

	answered answered
}

// NewServer prepares a server; nothing listens yet.
func NewServer(config Config) *Server {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.OnPanic == nil {
		config.OnPanic = func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "Internal server error.", http.StatusInternalServerError)
		}
	}
	s := &Server{config: config}
	s.http = &http.Server{
		Handler:           s,
		TLSConfig:         config.TLS,
		ReadHeaderTimeout: orDefault(config.HeaderTimeout, defaultHeaderTimeout),
		ReadTimeout:       config.RequestTimeout,
		IdleTimeout:       orDefault(config.IdleTimeout, defaultIdleTimeout),
		MaxHeaderBytes:    orDefault(config.MaxHeaderBytes, defaultMaxHeaderBytes),
		ErrorLog:          log.New(complaints{log: config.Log, surface: config.Name}, "", 0),
	}
	if config.Conns != nil {
		s.front = newFront(s)
		s.http.ConnContext = withTLS
	}
	return s
}

// Serve answers connections of l until Shutdown, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	var err error
	switch {
	case s.front != nil:
		go s.front.accept(l)
		err = s.http.Serve(s.front.listener(l))
	case s.config.TLS != nil:
		err = s.http.ServeTLS(l, "", "")
	default:
		err = s.http.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", s.config.Name, err)
}

// Shutdown stops listening and waits for the requests under way; when ctx ends
// first, it cuts them and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	if s.front != nil {
		s.front.drain()
	}
	err := s.http.Shutdown(ctx)
	if s.front != nil {
		err = errors.Join(err, s.front.shutdown(ctx))
	}
	if err != nil {
		_ = s.http.Close()
		return fmt.Errorf("draining %s: %w", s.config.Name, err)
	}
	return nil
}

// ServeHTTP runs a request through everything but the listener.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil {
		r.TLS = tlsOf(r.Context())
	}
	if s.config.Quiet && !s.config.Log.Enabled(r.Context(), slog.LevelDebug) {
		defer s.catchQuietly()
		s.config.Handler.ServeHTTP(w, r)
		return
	}
	begin := time.Now()
	r, rec := withRecord(r)
	rec.quiet = s.config.Quiet
	out := &response{ResponseWriter: w, rec: rec}
	defer func() {
		s.answered.count(rec.status)
		rec.write(s.config.Log, s.config.Name, r, time.Since(begin))
	}()
	defer s.catch(out, r)
	s.config.Handler.ServeHTTP(out, r)
	if !rec.started {
		rec.status = http.StatusOK // what net/http sends for a handler that wrote nothing
	}
}

// catchQuietly logs a panic of a quiet surface and cuts the connection: whether
// the answer has begun is not known.
func (s *Server) catchQuietly() {
	value := recover()
	if value == nil {
		return
	}
	if value != http.ErrAbortHandler {
		s.logPanic(value, "")
	}
	panic(http.ErrAbortHandler)
}

// catch turns a panic into an answer, or cuts the connection when the answer
// has begun.
func (s *Server) catch(out *response, r *http.Request) {
	value := recover()
	if value == nil {
		return
	}
	if value == http.ErrAbortHandler {
		panic(value)
	}
	s.logPanic(value, out.rec.facts.RequestID)
	if out.rec.started {
		panic(http.ErrAbortHandler)
	}
	err := twinkey.Errorf(twinkey.Internal, "handler panicked")
	out.rec.err = err
	s.config.OnPanic(out, r, err)
}

// logPanic says where a panic happened and never its value, which may be made
// of the request, unless the Go runtime made it.
func (s *Server) logPanic(value any, request string) {
	what := fmt.Sprintf("%T", value)
	if e, ok := value.(runtime.Error); ok {
		what = e.Error()
	}
	s.config.Log.Error("panic", "surface", s.config.Name, "request", request, "what", what, "stack", string(debug.Stack()))
}

// orDefault returns v, or what it stands for when it is zero.
func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
