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

// reason is a refusal as it is counted.
type reason struct {
	name   string
	status int
	body   string
}

// reasonCount is how many there are; the last two stand for refusals whose text
// depends on the call, and for those not listed.
const reasonCount = 15

func reasons() [reasonCount]reason {
	of := func(name string, r Refusal) reason { return reason{name, r.Status, r.Body} }
	return [reasonCount]reason{
		of("missing_key", missingKey), of("invalid_key", invalidKey), of("invalid_token", tokenRefused),
		of("token_without_host", tokenNeedsHost), of("no_data_action", noDataAction), of("token_unchecked", tokenUnchecked),
		of("public_access_disabled", publicAccessDisabled), of("address_refused", firewalled), of("keys_disabled", keysDisabled),
		of("ambiguous_path", ambiguousPath), of("broken_body", brokenBody), of("no_route", notFound), of("kind_gone", kindGone),
		{name: "rate_exceeded", status: http.StatusTooManyRequests},
		{name: "other", status: http.StatusInternalServerError},
	}
}

// counters are one atomic addition a call.
type counters struct {
	admitted    atomic.Uint64
	unreachable atomic.Uint64
	timedOut    atomic.Uint64
	answered    [6]atomic.Uint64
	refused     [reasonCount]atomic.Uint64
	reasons     map[string]int // body of a refusal -> its place
}

func newCounters() *counters {
	c := &counters{reasons: map[string]int{}}
	for i, r := range reasons() {
		if r.body != "" {
			c.reasons[r.body] = i
		}
	}
	return c
}

func (c *counters) refuse(r *Refusal) {
	at, known := c.reasons[r.Body]
	switch {
	case known:
	case r.Status == http.StatusTooManyRequests:
		at = reasonCount - 2
	default:
		at = reasonCount - 1
	}
	c.refused[at].Add(1)
}

func (c *counters) answer(status int) {
	if class := status / 100; class < len(c.answered) {
		c.answered[class].Add(1)
	}
}
