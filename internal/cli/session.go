package cli

import (
	"context"
	"strings"
	"time"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// session is one run of one command.
type session struct {
	cfg      Config
	program  string // what the program calls itself: "twinkey" or "az"
	global   globals
	began    time.Time
	command  string // "cognitiveservices account keys list"
	lines    *lineReader
	words    map[*cobra.Command][]word
	settings *settings // nil until one is asked for
}

// errNotLoggedIn is the Azure CLI's sentence.
func errNotLoggedIn(program string) error {
	return twinkey.Errorf(twinkey.Unauthenticated, "Please run '%s login' to setup account.", program)
}

// target is the server a command is about.
type target struct {
	endpoint  string // lower case, no trailing slash: the key of what is kept about it
	authority string
	tenant    string // "" when none is configured
	caFile    string
}

// target takes each setting from the environment or else from the last login.
func (s *session) target(p *profile) (target, error) {
	t := target{
		endpoint:  strings.ToLower(strings.TrimRight(s.cfg.Getenv("TWINKEY_ENDPOINT"), "/")),
		authority: s.cfg.Getenv("TWINKEY_AUTHORITY"),
		tenant:    s.cfg.Getenv("TWINKEY_TENANT_ID"),
		caFile:    s.cfg.Getenv("TWINKEY_CA_FILE"),
	}
	if t.endpoint == "" {
		t.endpoint = p.Current
	}
	if t.endpoint == "" {
		return t, twinkey.Errorf(twinkey.Invalid, "no server is known. Set TWINKEY_ENDPOINT to its management URL; for a server on this machine run: eval \"$(%s client-env sh --data-dir DIR)\"", s.program)
	}
	if known := p.Servers[t.endpoint]; known != nil {
		if t.authority == "" {
			t.authority = known.Authority
		}
		if t.caFile == "" {
			t.caFile = known.CAFile
		}
	}
	return t, nil
}

func (s *session) client(t target) (*armclient.Client, error) {
	cfg := armclient.Config{
		Endpoint: t.endpoint, Authority: t.authority, TenantID: t.tenant, CAFile: t.caFile,
		Version: s.cfg.Version, Now: s.cfg.Now,
	}
	if s.global.debug {
		cfg.Trace = s.trace
	}
	return armclient.New(cfg)
}

// connection is everything a command needs to call the server: who, where, and
// in which subscription.
type connection struct {
	client       *armclient.Client
	endpoint     string
	token        twinkey.Secret
	expires      time.Time
	subscription subscription
	command      string
}

// connect picks the subscription and has a token for it.
func (s *session) connect(ctx context.Context) (*connection, error) {
	store, err := s.store()
	if err != nil {
		return nil, err
	}
	state, err := store.load()
	if err != nil {
		return nil, err
	}
	chosen, t, err := s.chosen(&state.profile)
	if err != nil {
		return nil, err
	}
	client, err := s.client(t)
	if err != nil {
		return nil, err
	}
	token, err := s.token(ctx, store, state, client, credential{t.endpoint, chosen.User}, chosen.TenantID)
	if err != nil {
		return nil, err
	}
	return &connection{client: client, endpoint: t.endpoint, token: token.secret(), expires: token.Expires, subscription: chosen, command: s.command}, nil
}

// chosen is the subscription that --subscription names, or the default one.
func (s *session) chosen(p *profile) (subscription, target, error) {
	if len(p.Servers) == 0 {
		return subscription{}, target{}, errNotLoggedIn(s.program)
	}
	t, err := s.target(p)
	if err != nil {
		return subscription{}, t, err
	}
	known := p.Servers[t.endpoint]
	if known == nil || len(known.Subscriptions) == 0 {
		return subscription{}, t, errNotLoggedIn(s.program)
	}
	name := string(s.global.subscription)
	if name == "" {
		if at := known.defaultAt(); at >= 0 {
			return known.Subscriptions[at], t, nil
		}
		return subscription{}, t, twinkey.Errorf(twinkey.Invalid, "No subscription is the current one. Run '%s account set' to choose one.", s.program)
	}
	at, err := known.find(name)
	if err != nil {
		return subscription{}, t, err
	}
	if at < 0 {
		s.warnf("Subscription '%s' not recognized.", name)
		return subscription{}, t, twinkey.Errorf(twinkey.SubscriptionNotFound, "Subscription '%s' not found. Check the spelling and casing and try again.", name)
	}
	return known.Subscriptions[at], t, nil
}

// do calls the server and follows a long-running operation to its end.
func (c *connection) do(ctx context.Context, r armclient.Request) (*armclient.Response, error) {
	r.Command = c.command
	resp, err := c.client.Do(ctx, c.token, r)
	if err != nil {
		return nil, err
	}
	return c.client.Complete(ctx, c.token, resp)
}

// object calls the server for one JSON document.
func (c *connection) object(ctx context.Context, r armclient.Request) (any, *armclient.Response, error) {
	resp, err := c.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	var document any
	if err := resp.Decode(&document); err != nil {
		return nil, nil, err
	}
	return document, resp, nil
}

// list calls the server for every element of a list.
func (c *connection) list(ctx context.Context, r armclient.Request) ([]any, error) {
	return listOf[any](ctx, c, r)
}

// listOf is list with elements of a known type.
func listOf[T any](ctx context.Context, c *connection, r armclient.Request) ([]T, error) {
	r.Command = c.command
	elements, err := c.client.List(ctx, c.token, r)
	if err != nil {
		return nil, err
	}
	list := make([]T, len(elements))
	for i, element := range elements {
		if err := decodeInto(element, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// warnPending says which gateways a change has not reached. Unlike other
// warnings it is never silenced: what was taken away may still be accepted.
// There is no response when nothing was changed.
func (s *session) warnPending(resp *armclient.Response) {
	if resp == nil {
		return
	}
	if c := resp.Confirmation; c != nil && len(c.Pending) > 0 {
		s.sayf("WARNING: Revision %d is not confirmed by %s; until then what was changed may still be served there as it was.", c.Revision, strings.Join(c.Pending, ", "))
	}
}
