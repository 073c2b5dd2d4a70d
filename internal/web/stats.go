package web

import "sync/atomic"

// Name is the surface's.
func (s *Server) Name() string { return s.config.Name }

// Answered counts the requests since the start by the first digit of the
// status they were answered with; under 0 are those cut off without one. A
// surface that is quiet is not counted, but where its requests are logged.
func (s *Server) Answered() [6]uint64 {
	var n [6]uint64
	for i := range n {
		n[i] = s.answered[i].Load()
	}
	return n
}

// answered counts requests by the first digit of their status.
type answered [6]atomic.Uint64

func (a *answered) count(status int) {
	if class := status / 100; class < len(a) {
		a[class].Add(1)
	}
}
