package idp

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
)

// TokenCount counts the token requests of one grant that ended in one way.
type TokenCount struct {
	Grant  string // as clients send it; "other" for what is not served
	Result string // issued, refused, or failed where the server is to blame
	Count  uint64
}

// TokenCounts says how the token requests since the start have ended.
func (p *Provider) TokenCounts() []TokenCount {
	p.counts.mu.Lock()
	defer p.counts.mu.Unlock()
	list := make([]TokenCount, 0, len(p.counts.of))
	for k, n := range p.counts.of {
		list = append(list, TokenCount{Grant: k.grant, Result: k.result, Count: n})
	}
	slices.SortFunc(list, func(a, b TokenCount) int {
		return cmp.Or(cmp.Compare(a.Grant, b.Grant), cmp.Compare(a.Result, b.Result))
	})
	return list
}

type tokenKind struct{ grant, result string }

type tokenCounts struct {
	mu sync.Mutex
	of map[tokenKind]uint64
}

// count notes how a token request has ended.
func (p *Provider) count(grant string, err error) {
	if errors.Is(err, context.Canceled) {
		return // the client has gone
	}
	kind := tokenKind{grant: grant, result: "issued"}
	if _, served := p.grants[grant]; !served {
		kind.grant = "other"
	}
	if err != nil {
		c, _ := codeOf(err)
		kind.result = "refused"
		if status, _ := c.answer(); status >= http.StatusInternalServerError {
			kind.result = "failed"
		}
	}
	p.counts.mu.Lock()
	defer p.counts.mu.Unlock()
	if p.counts.of == nil {
		p.counts.of = map[tokenKind]uint64{}
	}
	p.counts.of[kind]++
}
