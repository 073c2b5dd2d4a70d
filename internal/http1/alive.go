package http1

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// peek looks at a connection without taking anything from it.
type peek struct {
	raw   syscall.RawConn
	look  func(fd uintptr) // made once, since every call looks
	quiet bool

	secure *tls.Conn // nil: without TLS
}

// newPeek prepares to look at conn; nil: it cannot be looked at.
func newPeek(conn net.Conn) *peek {
	secure, ok := conn.(*tls.Conn)
	if ok {
		conn = secure.NetConn()
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	p := &peek{raw: raw, secure: secure}
	var one [1]byte
	p.look = func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		p.quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	}
	return p
}

// alive reports whether an unused connection is still open and silent: the other
// side has neither closed it nor said anything nobody asked for, which would be
// taken for the next answer.
func (p *peek) alive() bool {
	// Control and not Read, since the deadline of the last call has passed.
	if p == nil || p.raw.Control(p.look) != nil || !p.quiet {
		return false
	}
	return p.secure == nil || nothingHeld(p.secure)
}

// nothingHeld reports whether TLS has read nothing from the socket that nobody
// has taken: with a deadline that has passed it gives what it has and waits for
// no more.
func nothingHeld(secure *tls.Conn) bool {
	if err := secure.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return false
	}
	n, err := secure.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && secure.SetReadDeadline(time.Time{}) == nil
}
