package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"os"
	"sync"
	"time"
)

const (
	dialTime = 10 * time.Second // to connect, and again for TLS
	idleTime = 90 * time.Second // after which an unused connection is closed
	idleMost = 256              // unused connections kept for one upstream

	inputSize = 4 << 10   // bytes, of a connection's own buffer
	maxHead   = 256 << 10 // bytes, of an answer's head
)

// Pool keeps connections to upstreams open for the next call.
type Pool struct {
	mu       sync.Mutex
	idle     map[string][]*Conn // by upstream, the one used last at the end
	sweeping bool
}

// NewPool makes a pool without connections.
func NewPool() *Pool { return &Pool{idle: map[string][]*Conn{}} }

// Conn is a connection to an upstream, for one call at a time.
type Conn struct {
	net.Conn
	Reused bool // it has served a call before

	in       []byte
	from, to int  // what in holds that nobody has taken
	ended    bool // the other side has closed it, though it may have said more before
	key      string
	peek     *peek
	since    time.Time // unused
}

// Get returns a connection to the scheme, host and port of upstream: one that is
// open already and has not been closed by the other side, or a new one. Its error
// says that no connection could be made.
func (p *Pool) Get(ctx context.Context, upstream *url.URL, fresh bool) (*Conn, error) {
	key := upstream.Host
	if upstream.Scheme == "https" {
		key = "https://" + key
	}
	for !fresh {
		c := p.take(key)
		if c == nil {
			break
		}
		if c.peek.alive() {
			c.Reused = true
			return c, nil
		}
		_ = c.Close()
	}
	conn, err := dial(ctx, upstream)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: conn, key: key, in: make([]byte, inputSize), peek: newPeek(conn)}, nil
}

// Put takes back a connection whose last answer has been read to its end. One
// with bytes that nobody asked for is closed.
func (p *Pool) Put(c *Conn) {
	c.since = time.Now()
	if len(c.in) > inputSize && c.from == c.to {
		c.in = make([]byte, inputSize)
	}
	p.mu.Lock()
	full := len(p.idle[c.key]) >= idleMost || c.from != c.to || c.ended
	if !full {
		p.idle[c.key] = append(p.idle[c.key], c)
		if !p.sweeping {
			p.sweeping = true
			time.AfterFunc(idleTime, p.sweep)
		}
	}
	p.mu.Unlock()
	if full {
		_ = c.Close()
	}
}

func (p *Pool) take(key string) *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.idle[key]
	if len(all) == 0 {
		return nil
	}
	c := all[len(all)-1]
	all[len(all)-1] = nil
	p.idle[key] = all[:len(all)-1]
	return c
}

// sweep closes what has not been used for long, and comes back while there is
// something left.
func (p *Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := time.Now().Add(-idleTime)
	for key, all := range p.idle {
		old := 0
		for old < len(all) && all[old].since.Before(before) {
			_ = all[old].Close()
			old++
		}
		if p.idle[key] = append([]*Conn(nil), all[old:]...); old == len(all) {
			delete(p.idle, key)
		}
	}
	if p.sweeping = len(p.idle) > 0; p.sweeping {
		time.AfterFunc(idleTime/3, p.sweep)
	}
}

// Close closes the connections that are not in use.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, all := range p.idle {
		for _, c := range all {
			_ = c.Close()
		}
		delete(p.idle, key)
	}
}

func dial(ctx context.Context, upstream *url.URL) (net.Conn, error) {
	port := upstream.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[upstream.Scheme]
	}
	dialer := net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(upstream.Hostname(), port))
	if err != nil || upstream.Scheme != "https" {
		return conn, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	secure := tls.Client(conn, &tls.Config{ServerName: upstream.Hostname(), NextProtos: []string{"http/1.1"}})
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: conn.RemoteAddr(), Err: err}
	}
	return secure, nil
}

// Read reads from the upstream, behind what is held, and remembers its end.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.ended = true
	}
	return n, err
}

// Held is what has been read and nobody has taken yet.
func (c *Conn) Held() []byte { return c.in[c.from:c.to] }

// Take marks the first n bytes held as taken.
func (c *Conn) Take(n int) {
	if c.from += n; c.from == c.to {
		c.from, c.to = 0, 0
	}
}

// Fill reads more behind what is held. It fails with ErrForm if more is held than
// a head may have.
func (c *Conn) Fill() error {
	if c.to == len(c.in) {
		if c.from == 0 {
			if len(c.in) >= maxHead {
				return ErrForm
			}
			c.in = append(c.in, make([]byte, len(c.in))...)
		}
		c.to = copy(c.in, c.in[c.from:c.to])
		c.from = 0
	}
	n, err := c.Read(c.in[c.to:])
	c.to += n
	if n > 0 {
		return nil
	}
	return err
}
