package gateway

import (
	"net/http"
	"sync/atomic"

	"github.com/twinkey/twinkey"
)

// Stats says what a gateway has done since it was made, and by what it decides.
type Stats struct {
	Admitted    uint64           // calls let through, to an upstream or to issueToken
	Refused     []RefusedCalls   // one for each reason there is
	Answered    [6]uint64        // answers of upstreams by the first digit of their status
	Unreachable uint64           // calls whose upstream could not be reached or broke off before it answered
	TimedOut    uint64           // calls whose upstream did not answer in time
	Accounts    int              // in the table
	Revision    twinkey.Revision // of the table
}

// RefusedCalls counts the calls refused for one reason.
type RefusedCalls struct {
	Reason string // for programs: lower case, with underscores
	Status int
	Count  uint64
}

// Stats reads the counters.
func (g *Gateway) Stats() Stats {
	table := g.table.Load()
	s := Stats{
		Admitted: g.counters.admitted.Load(), Unreachable: g.counters.unreachable.Load(), TimedOut: g.counters.timedOut.Load(),
		Accounts: table.Len(), Revision: table.Revision(),
	}
	for i := range s.Answered {
		s.Answered[i] = g.counters.answered[i].Load()
	}
	for i, r := range reasons() {
		s.Refused = append(s.Refused, RefusedCalls{Reason: r.name, Status: r.status, Count: g.counters.refused[i].Load()})
	}
	return s
}

// reason is why a call was refused, as it is counted. A refusal cannot be made
// without one.
type reason int

const (
	reasonOther reason = iota // of what is counted elsewhere: no call is refused for it
	reasonMissingKey
	reasonInvalidKey
	reasonInvalidToken
	reasonTokenWithoutHost
	reasonNoDataAction
	reasonTokenUnchecked
	reasonPublicAccessDisabled
	reasonAddressRefused
	reasonKeysDisabled
	reasonAmbiguousPath
	reasonBrokenBody
	reasonNoRoute
	reasonKindGone
	reasonRateExceeded
	reasonCount
)

// named is a reason's name, for programs, and the status of its answer.
type named struct {
	name   string
	status int
}

func reasons() [reasonCount]named {
	return [reasonCount]named{
		reasonOther:                {"other", http.StatusInternalServerError},
		reasonMissingKey:           {"missing_key", http.StatusUnauthorized},
		reasonInvalidKey:           {"invalid_key", http.StatusUnauthorized},
		reasonInvalidToken:         {"invalid_token", http.StatusUnauthorized},
		reasonTokenWithoutHost:     {"token_without_host", http.StatusUnauthorized},
		reasonNoDataAction:         {"no_data_action", http.StatusUnauthorized},
		reasonTokenUnchecked:       {"token_unchecked", http.StatusServiceUnavailable},
		reasonPublicAccessDisabled: {"public_access_disabled", http.StatusForbidden},
		reasonAddressRefused:       {"address_refused", http.StatusForbidden},
		reasonKeysDisabled:         {"keys_disabled", http.StatusForbidden},
		reasonAmbiguousPath:        {"ambiguous_path", http.StatusBadRequest},
		reasonBrokenBody:           {"broken_body", http.StatusBadRequest},
		reasonNoRoute:              {"no_route", http.StatusNotFound},
		reasonKindGone:             {"kind_gone", http.StatusNotFound},
		reasonRateExceeded:         {"rate_exceeded", http.StatusTooManyRequests},
	}
}

// counters are one atomic addition a call.
type counters struct {
	admitted    atomic.Uint64
	unreachable atomic.Uint64
	timedOut    atomic.Uint64
	answered    [6]atomic.Uint64
	refused     [reasonCount]atomic.Uint64
}

func newCounters() *counters { return &counters{} }

func (c *counters) refuse(r *Refusal) { c.refused[r.reason].Add(1) }

func (c *counters) answer(status int) {
	if class := status / 100; class < len(c.answered) {
		c.answered[class].Add(1)
	}
}
