package hub

import (
	"cmp"
	"slices"

	"github.com/twinkey/twinkey"
)

// Stats says how far the hub and its gateways are.
type Stats struct {
	Newest   twinkey.Revision // the watch has reached it
	Reopened uint64           // how often the watch had to be opened anew
	Damaged  uint64           // how often an account was met whose document cannot be read
	Gateways []GatewayStats   // by name
}

// GatewayStats says how far one gateway is.
type GatewayStats struct {
	Name     string
	Revision twinkey.Revision // it decides by everything up to it; 0: by nothing yet
	Pending  int              // changes it has not acknowledged
}

// Stats reads where everybody is.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Stats{Newest: h.seen, Reopened: h.reopened, Damaged: h.damaged}
	for name, f := range h.gateways {
		g := GatewayStats{Name: name, Revision: f.acked}
		for _, c := range slices.Backward(h.changes) {
			if c.Revision <= f.acked {
				break
			}
			g.Pending++
		}
		if g.Pending == 0 && f.acked > 0 && f.acked >= h.base {
			g.Revision = max(f.acked, h.seen) // nothing between the two is for it
		}
		s.Gateways = append(s.Gateways, g)
	}
	slices.SortFunc(s.Gateways, func(a, b GatewayStats) int { return cmp.Compare(a.Name, b.Name) })
	return s
}
