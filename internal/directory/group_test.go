package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
)

// stored is a directory on a real store.
type stored struct {
	*directory.Service
	t      *testing.T
	store  *etcdstore.Store
	tenant string
	who    twinkey.Caller
}

func newStored(t *testing.T) *stored {
	t.Helper()
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop(context.Background()) })
	store, err := etcdstore.Open(t.Context(), node.Client())
	if err != nil {
		t.Fatal(err)
	}
	s := &stored{t: t, store: store, who: twinkey.Caller{Principal: twinkey.Principal{Name: "admin@example.test", ObjectID: "00000000-0000-4000-8000-000000000001"}, RequestID: "r1"}}
	s.Service = directory.New(directory.Config{Store: store, Cost: directory.Cost{Memory: 64, Passes: 1, Lanes: 1}})
	tenant, _, err := s.CreateTenant(t.Context(), s.who, directory.NewTenant{Name: "Example", Domains: []string{"example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	s.tenant = tenant.ID
	return s
}

func (s *stored) group() string {
	s.t.Helper()
	g, err := s.CreateGroup(s.t.Context(), s.who, directory.NewGroup{Tenant: s.tenant, Name: "Team", Nickname: "team"})
	if err != nil {
		s.t.Fatal(err)
	}
	return g.ObjectID
}

func (s *stored) application(name string) directory.CreatedServicePrincipal {
	s.t.Helper()
	a, err := s.CreateServicePrincipal(s.t.Context(), s.who, directory.NewServicePrincipal{Tenant: s.tenant, Name: name})
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// Whoever joins a group while it is deleted is in no group afterwards: an id that
// stayed with somebody would go on giving what the group was granted.
func TestNobodyStaysInADeletedGroup(t *testing.T) {
	s := newStored(t)
	ctx := t.Context()
	var apps []directory.CreatedServicePrincipal
	for i := range 6 {
		apps = append(apps, s.application(fmt.Sprint("app ", i)))
	}
	joined := 0
	for round := range 25 {
		g := s.group()
		var running sync.WaitGroup
		var mu sync.Mutex
		for _, a := range apps {
			running.Go(func() {
				_, err := s.AddMember(ctx, s.who, s.tenant, g, a.ObjectID)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					joined++
				case twinkey.KindOf(err) != twinkey.PrincipalNotFound:
					t.Error(err)
				}
			})
		}
		running.Go(func() {
			if _, err := s.Delete(ctx, s.who, s.tenant, g); err != nil {
				t.Error(err)
			}
		})
		running.Wait()
		for _, a := range apps {
			if p, err := s.Resolve(ctx, s.tenant, a.ObjectID, a.CredentialID); err != nil || slices.Contains(p.Groups, g) {
				t.Fatalf("round %d: in %v, %v", round, p.Groups, err)
			}
		}
	}
	if joined == 0 {
		t.Error("nobody ever joined in time: nothing was tried")
	}
}

// Each change of the directory is in the activity log exactly once, in the
// transaction that made it; what is refused is not in it, and no secret is.
func TestEveryChangeHasItsOneEntry(t *testing.T) {
	s := newStored(t)
	ctx := t.Context()
	yes := true
	app := s.application("job")
	u, err := s.CreateUser(ctx, s.who, directory.NewUser{Tenant: s.tenant, Name: "alex@example.test"})
	if err != nil {
		t.Fatal(err)
	}
	g := s.group()
	added, err := s.AddSecret(ctx, s.who, s.tenant, app.ObjectID, directory.NewSecret{Name: "second"})
	if err != nil {
		t.Fatal(err)
	}
	do := func(_ directory.Change, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	word := twinkey.NewSecret("another password")
	do(s.RemoveSecret(ctx, s.who, s.tenant, app.ObjectID, added.CredentialID))
	do(s.AddMember(ctx, s.who, s.tenant, g, u.ObjectID))
	do(s.RemoveMember(ctx, s.who, s.tenant, g, u.ObjectID))
	do(s.Update(ctx, s.who, s.tenant, u.ObjectID, directory.Update{DisplayName: "Alex"}))
	do(s.SetPassword(ctx, s.who, s.tenant, u.ObjectID, word))
	do(s.Disable(ctx, s.who, s.tenant, u.ObjectID))
	do(s.Update(ctx, s.who, s.tenant, u.ObjectID, directory.Update{Enabled: &yes}))
	do(s.Delete(ctx, s.who, s.tenant, app.ObjectID))
	wantKind(t, second(s.Disable(ctx, s.who, s.tenant, app.ObjectID)), twinkey.PrincipalNotFound)
	wantKind(t, second(s.AddMember(ctx, s.who, s.tenant, g, g)), twinkey.Unsupported)
	entries, _, err := s.store.Activity(ctx, "-", accounts.Page{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, strings.TrimPrefix(e.Action, "microsoft.directory/"))
		if e.Caller != s.who.Name || e.RequestID != "r1" || e.Details["principal"] == "" || e.Scope != "/" {
			t.Errorf("an entry that does not say who did what to whom: %+v", e)
		}
	}
	want := []string{"servicePrincipals/create", "users/create", "groups/create", "servicePrincipals/credentials/update", "servicePrincipals/credentials/update",
		"groups/members/update", "groups/members/update", "users/basic/update", "users/password/update", "users/disable", "users/enable", "servicePrincipals/delete"}
	if !slices.Equal(got, want) {
		t.Errorf("recorded:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []twinkey.Secret{app.Secret, added.Secret, u.Password, word} {
		if secret.Reveal() == "" || strings.Contains(string(text), secret.Reveal()) {
			t.Error("a secret is in the log")
		}
	}
}

// The built-in administrator can be given keys and lose them, but not the last
// one, and cannot be switched off.
func TestBuiltInAdministratorStays(t *testing.T) {
	f := newFixture(t)
	ctx, no := t.Context(), false
	raw, err := json.Marshal(rsaJWK(t, 2048))
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.CreateServicePrincipal(ctx, f.who, directory.NewServicePrincipal{Tenant: f.tenant, Name: "local", Key: raw, BuiltIn: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"disabled": func() error { return second(f.Disable(ctx, f.who, f.tenant, a.ObjectID)) },
		"switched off": func() error {
			return second(f.Update(ctx, f.who, f.tenant, a.ObjectID, directory.Update{Enabled: &no}))
		},
		"deleted":         func() error { return second(f.Delete(ctx, f.who, f.tenant, a.ObjectID)) },
		"without its key": func() error { return second(f.RemoveKeyCredential(ctx, f.who, f.tenant, a.ObjectID, a.CredentialID)) },
		"without any keys": func() error {
			return second(f.Update(ctx, f.who, f.tenant, a.ObjectID, directory.Update{Keys: &[]directory.NewKey{}}))
		},
	} {
		if err := call(); twinkey.KindOf(err) != twinkey.Unsupported {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.AddKeyCredential(ctx, f.who, f.tenant, a.ObjectID, raw, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.RemoveKeyCredential(ctx, f.who, f.tenant, a.ObjectID, a.CredentialID); err != nil {
		t.Errorf("a key of two cannot be taken away: %v", err)
	}
}
