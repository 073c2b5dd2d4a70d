package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/armclient"
)

// What the tour makes, under the names that Azure's own tutorial uses.
const (
	tourGroup    = "cog-services-staging"
	tourAccount  = "myMultiCogService"
	tourLocation = "westus"
)

// tour is the demonstration's steps. Each does what it says through the same
// doors as anybody, checks what came back, and prints both.
type tour struct {
	out          *printer
	naked        *textService // the service itself
	gateway      *textService // the same behind a key
	manage       *armclient.Client
	endpoint     string
	keyFile      string // of the local administrator
	subscription string
	roots        *x509.CertPool

	token twinkey.Secret
	keys  [2]string
}

// step is one part of the tour; its title goes into the error of a part that
// did not go as it says.
type step struct {
	title string
	run   func(context.Context) error
}

// newTour connects to nothing yet.
func newTour(upstream string, e app.Endpoints, out *printer) (*tour, error) {
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the CA certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("reading the CA certificate: %s holds none", e.CAFile)
	}
	manage, err := armclient.New(armclient.Config{Endpoint: e.Endpoint, Authority: e.Authority, TenantID: e.TenantID, CAFile: e.CAFile})
	if err != nil {
		return nil, err
	}
	return &tour{
		out: out, manage: manage, endpoint: e.Endpoint, subscription: e.SubscriptionID, roots: roots,
		keyFile: filepath.Join(e.ConfigDir, app.LocalAdminFile),
		naked:   &textService{url: upstream, http: &http.Client{}},
		gateway: &textService{url: e.Gateway, http: trusting(roots)},
	}, nil
}

// trusting makes a client with connections of its own.
func trusting(roots *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

// run takes every step, or says which one did not go as it should.
func (t *tour) run(ctx context.Context) error {
	steps := []step{
		{"A service without security", t.callNaked},
		{"An account for it", t.makeAccount},
		{"The service behind its keys", t.callWithKeys},
		{"Key 1 regenerated while it is used", t.regenerate},
	}
	for i, s := range steps {
		t.out.heading("%d. %s", i+1, s.title)
		err := s.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if t.out.err != nil {
			return fmt.Errorf("printing: %w", t.out.err)
		}
		if err != nil {
			return fmt.Errorf("step %d of %d, \"%s\", went wrong: %w", i+1, len(steps), s.title, err)
		}
	}
	return nil
}

// callNaked calls the service as anybody could.
func (t *tour) callNaked(ctx context.Context) error {
	t.out.say("It tells languages and moods, and like most services one runs oneself it asks nobody for a key.")
	if err := t.languages(ctx, t.naked, "", "no key"); err != nil {
		return err
	}
	t.out.good("whoever reaches it may use it")
	return nil
}

// makeAccount makes the account and its group through the management API.
func (t *tour) makeAccount(ctx context.Context) error {
	t.out.say("As the local administrator, through the management API at %s, in", t.endpoint)
	t.out.say("subscription %s:", t.subscription)
	if err := t.login(ctx); err != nil {
		return err
	}
	_, err := t.call(ctx, http.MethodPut, "2024-11-01", map[string]any{"location": tourLocation}, "resourceGroups", tourGroup)
	if err != nil {
		return err
	}
	t.out.good("resource group %s", tourGroup)
	account := map[string]any{"kind": "CognitiveServices", "sku": map[string]any{"name": "S0"}, "location": tourLocation, "properties": map[string]any{}}
	if _, err := t.callAccount(ctx, http.MethodPut, account); err != nil {
		return err
	}
	t.out.good("account %s, whose keys open every service of kind CognitiveServices", tourAccount)
	resp, err := t.callAccount(ctx, http.MethodPost, nil, "listKeys")
	if err != nil {
		return err
	}
	if t.keys, err = readKeys(resp); err != nil {
		return err
	}
	if t.keys[0] == t.keys[1] {
		return errors.New("key 1 and key 2 are the same")
	}
	t.out.good("key 1 is %s, key 2 is %s (the rest is not shown here)", hint(t.keys[0]), hint(t.keys[1]))
	return nil
}

// callWithKeys shows who is let in now.
func (t *tour) callWithKeys(ctx context.Context) error {
	t.out.say("The gateway is another address with the same API; a call needs one of the two keys.")
	for _, c := range []struct{ name, key string }{{"no key", ""}, {"a wrong key", strings.Repeat("0", len(t.keys[0]))}} {
		if err := t.refused(ctx, c.name, c.key); err != nil {
			return err
		}
	}
	if err := t.languages(ctx, t.gateway, t.keys[0], "key 1"); err != nil {
		return err
	}
	if err := t.sentiments(ctx, t.gateway, t.keys[1], "key 2"); err != nil {
		return err
	}
	t.out.good("no key 401, wrong key 401, key 1 200, key 2 200")
	return nil
}

func (t *tour) login(ctx context.Context) error {
	text, err := os.ReadFile(t.keyFile)
	if err != nil {
		return fmt.Errorf("reading the local administrator's key: %w", err)
	}
	key, err := armclient.ParseAssertionKey(text)
	if err != nil {
		return fmt.Errorf("reading the local administrator's key: %w", err)
	}
	token, err := t.manage.Token(ctx, "", armclient.AssertionGrant(key))
	if err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	t.token = token.Access
	return nil
}

// call is one management call below the subscription.
func (t *tour) call(ctx context.Context, method, version string, body any, path ...string) (*armclient.Response, error) {
	t.out.sent("%s .../%s", method, strings.Join(path, "/"))
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		t.out.code(string(text))
	}
	resp, err := t.manage.Do(ctx, t.token, armclient.Request{
		Method: method, Path: append([]string{"subscriptions", t.subscription}, path...), APIVersion: version, Body: body,
	})
	if err != nil {
		return nil, err
	}
	t.out.got("%d in %s", resp.Status, milliseconds(resp.Elapsed))
	return resp, nil
}

func (t *tour) callAccount(ctx context.Context, method string, body any, below ...string) (*armclient.Response, error) {
	path := []string{"resourceGroups", tourGroup, "providers", twinkey.Provider, "accounts", tourAccount}
	return t.call(ctx, method, "2025-06-01", body, append(path, below...)...)
}

// readKeys reads an answer that shows both keys.
func readKeys(resp *armclient.Response) ([2]string, error) {
	var keys struct{ Key1, Key2 string }
	if err := resp.Decode(&keys); err != nil {
		return [2]string{}, err
	}
	if keys.Key1 == "" || keys.Key2 == "" {
		return [2]string{}, errors.New("the answer lacks a key")
	}
	return [2]string{keys.Key1, keys.Key2}, nil
}

// hint is enough of a key to tell it from another one, and no more.
func hint(key string) string { return key[:min(4, len(key))] + "..." }
