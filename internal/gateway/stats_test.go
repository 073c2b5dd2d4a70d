package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/gateway"
)

// refused is the counts of refused calls that are not zero.
func (s *stage) refused() map[string]uint64 {
	counts := map[string]uint64{}
	for _, r := range s.gateway.Stats().Refused {
		if r.Count > 0 {
			counts[r.Reason] = r.Count
		}
	}
	return counts
}

// Whoever watches refusals can tell every reason from every other: each has a
// name of its own and the status its calls get.
func TestReasonsHaveNames(t *testing.T) {
	s := newStage(t, http.NotFoundHandler(), nil)
	form, seen := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`), map[string]bool{}
	for _, r := range s.gateway.Stats().Refused {
		if !form.MatchString(r.Reason) || seen[r.Reason] || r.Status < 400 || r.Status > 599 {
			t.Errorf("a reason is %+v", r)
		}
		seen[r.Reason] = true
	}
}

// checked answers every access token with err.
type checked struct{ err error }

func (c checked) Allowed(context.Context, string, string, twinkey.ResourceID) error { return c.err }

// refusedCall is a call that is refused for one reason.
type refusedCall struct {
	status int
	path   string // "": one that has a route
	host   string
	header []string
	raw    string // sent as it is instead
	repeat int    // how many such calls are let through before
	change func(*twinkey.AccountState)
	adjust func(*gateway.Config)
}

func refusedCalls(t *testing.T) map[string]refusedCall {
	none, err := catalog.Parse("services.yaml", []byte("services: [{kind: Other, skus: [{name: S}], routes: [{path: /x/, upstream: 'http://127.0.0.1:1'}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	key, token := []string{keyName, stageKey1}, []string{"Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.eA"}
	own := func(a *twinkey.AccountState) { a.Subdomain = "mine" }
	says := func(err error) func(*gateway.Config) {
		return func(c *gateway.Config) { c.Domain, c.Tokens = "own.example.test", checked{err} }
	}
	return map[string]refusedCall{
		"missing_key":            {status: 401},
		"invalid_key":            {status: 401, header: []string{keyName, "wrong"}},
		"token_without_host":     {status: 401, header: token},
		"invalid_token":          {status: 401, header: token, host: "mine.own.example.test", change: own, adjust: says(twinkey.Errorf(twinkey.TokenExpired, "expired"))},
		"no_data_action":         {status: 401, header: token, host: "mine.own.example.test", change: own, adjust: says(twinkey.Errorf(twinkey.Forbidden, "no role"))},
		"token_unchecked":        {status: 503, header: token, host: "mine.own.example.test", change: own, adjust: says(errors.New("nobody there"))},
		"keys_disabled":          {status: 403, header: key, change: func(a *twinkey.AccountState) { a.KeysDisabled = true }},
		"public_access_disabled": {status: 403, header: key, change: func(a *twinkey.AccountState) { a.PublicAccessDisabled = true }},
		"address_refused":        {status: 403, header: key, change: func(a *twinkey.AccountState) { a.Network = &twinkey.NetworkRules{DefaultDeny: true} }},
		"ambiguous_path":         {status: 400, path: "/text/%2e%2e/x", header: key},
		"broken_body":            {status: 400, raw: head("POST", "/text/x", "Transfer-Encoding: chunked") + "no chunk\r\n"},
		"no_route":               {status: 404, path: "/elsewhere", header: key},
		"kind_gone":              {status: 404, header: key, adjust: func(c *gateway.Config) { c.Catalog = func() *catalog.Catalog { return none } }},
		"rate_exceeded":          {status: 429, header: key, repeat: 3, change: func(a *twinkey.AccountState) { a.SKU = "F0" }},
	}
}

// Every refusal counts as what it is, and none as something else.
func TestRefusalsCountByReason(t *testing.T) {
	calls := refusedCalls(t)
	for _, r := range newStage(t, http.NotFoundHandler(), nil).gateway.Stats().Refused {
		c, known := calls[r.Reason]
		if r.Reason == "other" {
			continue // no call is refused for it
		}
		if !known || r.Status != c.status {
			t.Errorf("no call here is refused for %s with status %d", r.Reason, r.Status)
			continue
		}
		s := newStage(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), c.adjust)
		if c.change != nil {
			s.change(c.change)
		}
		if c.path == "" {
			c.path = "/text/x"
		}
		for range c.repeat {
			s.expect(200, r.Reason, c.path, c.host, c.header...)
		}
		if c.raw == "" {
			s.expect(c.status, r.Reason, c.path, c.host, c.header...)
		} else if answer, _ := s.raw(c.raw).answer(t, "POST"); answer.StatusCode != c.status {
			t.Errorf("%s: answered %d", r.Reason, answer.StatusCode)
		}
		if counts := s.refused(); len(counts) != 1 || counts[r.Reason] != 1 {
			t.Errorf("%s is counted as %v", r.Reason, counts)
		}
	}
}
