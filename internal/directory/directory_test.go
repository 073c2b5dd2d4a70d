package directory_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// A name finds one principal, in whatever casing, and nobody gets a name that
// is taken.
func TestNamesAreUniqueInAnyCasing(t *testing.T) {
	f := newFixture(t)
	u := f.user("Alex@example.test")
	_, err := f.CreateUser(t.Context(), f.who, directory.NewUser{Tenant: f.tenant, Name: "ALEX@EXAMPLE.test"})
	wantKind(t, err, twinkey.NameTaken)
	rec, err := f.Find(t.Context(), strings.ToUpper(f.tenant), "aLEX@example.TEST")
	if err != nil || rec.ObjectID != u.ObjectID || rec.Name != "Alex@example.test" {
		t.Fatalf("found %+v, %v", rec, err)
	}
	if _, err := f.Delete(t.Context(), f.who, f.tenant, u.ObjectID); err != nil {
		t.Fatal(err)
	}
	if again := f.user("alex@example.test"); again.ObjectID == u.ObjectID {
		t.Fatal("an object id was used twice")
	}
}

// Tenants know nothing of each other's principals.
func TestTenantsAreSeparate(t *testing.T) {
	f := newFixture(t)
	other, _, err := f.CreateTenant(t.Context(), f.who, directory.NewTenant{Name: "Other", Domains: []string{"other.test"}})
	if err != nil {
		t.Fatal(err)
	}
	app := f.application("job")
	u := f.user("a@example.test")
	_, err = f.BySecret(t.Context(), other.ID, app.AppID, app.Secret)
	wantKind(t, err, twinkey.Unauthenticated)
	_, err = f.Resolve(t.Context(), other.ID, u.ObjectID, u.CredentialID)
	wantKind(t, err, twinkey.Unauthenticated)
	_, err = f.CreateUser(t.Context(), f.who, directory.NewUser{Tenant: other.ID, Name: "a@example.test"})
	wantKind(t, err, twinkey.Invalid)
	_, _, err = f.CreateTenant(t.Context(), f.who, directory.NewTenant{Name: "Third", Domains: []string{"EXAMPLE.test"}})
	wantKind(t, err, twinkey.NameTaken)
	for name, want := range map[string]string{"": f.tenant, "Other.TEST": other.ID, strings.ToUpper(other.ID): other.ID} {
		if got, err := f.Tenant(t.Context(), name); err != nil || got.ID != want {
			t.Errorf("tenant %q is %v, %v", name, got, err)
		}
	}
	_, err = f.Tenant(t.Context(), "nowhere.test")
	wantKind(t, err, twinkey.NotFound)
}

// Whatever takes access away takes it away for the next call.
func TestResolveRefusesAtOnce(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	u, app := f.user("a@example.test"), f.application("job")
	second, err := f.AddSecret(ctx, f.who, f.tenant, app.ObjectID, directory.NewSecret{NotAfter: f.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	resolves := func(oid, credential string) bool {
		t.Helper()
		_, err := f.Resolve(ctx, f.tenant, oid, credential)
		if err != nil {
			wantKind(t, err, twinkey.Unauthenticated)
		}
		return err == nil
	}
	steps := []struct {
		name            string
		do              func() error
		oid, credential string
		good            bool
	}{
		{"user", nil, u.ObjectID, u.CredentialID, true},
		{"no credential named", nil, u.ObjectID, "", false},
		{"another's credential", nil, u.ObjectID, app.CredentialID, false},
		{"user disabled", func() error { _, err := f.Disable(ctx, f.who, f.tenant, u.ObjectID); return err }, u.ObjectID, u.CredentialID, false},
		{"user enabled", func() error { _, err := f.Enable(ctx, f.who, f.tenant, u.ObjectID); return err }, u.ObjectID, u.CredentialID, true},
		{"password changed", func() error {
			_, err := f.SetPassword(ctx, f.who, f.tenant, u.ObjectID, twinkey.NewSecret("another password"))
			return err
		}, u.ObjectID, u.CredentialID, false},
		{"first secret", nil, app.ObjectID, app.CredentialID, true},
		{"first secret removed", func() error {
			_, err := f.RemoveSecret(ctx, f.who, f.tenant, app.ObjectID, app.CredentialID)
			return err
		}, app.ObjectID, app.CredentialID, false},
		{"second secret", nil, app.ObjectID, second.CredentialID, true},
		{"second secret expired", func() error { f.now = f.now.Add(time.Hour); return nil }, app.ObjectID, second.CredentialID, false},
		{"user deleted", func() error { _, err := f.Delete(ctx, f.who, f.tenant, u.ObjectID); return err }, u.ObjectID, u.CredentialID, false},
	}
	for _, s := range steps {
		if s.do != nil {
			if err := s.do(); err != nil {
				t.Fatal(s.name, err)
			}
		}
		if got := resolves(s.oid, s.credential); got != s.good {
			t.Fatalf("%s: resolves %v, want %v", s.name, got, s.good)
		}
	}
}

// Two changes made at once both happen.
func TestChangesAreNotLost(t *testing.T) {
	f := newFixture(t)
	app := f.application("job")
	f.store.conflicts = 2
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := f.AddSecret(t.Context(), f.who, f.tenant, app.ObjectID, directory.NewSecret{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rec, err := f.Get(t.Context(), f.tenant, app.ObjectID)
	if err != nil || len(rec.Secrets) != 9 {
		t.Fatalf("%d secrets, %v", len(rec.Secrets), err)
	}
	if f.store.conflicts != 0 {
		t.Fatal("no conflict was met")
	}
	f.store.conflicts = 1000
	_, err = f.Disable(t.Context(), f.who, f.tenant, app.ObjectID)
	wantKind(t, err, twinkey.Conflict)
}

// A change says who did what to whom, for the activity log.
func TestChangeTellsWhatWasDone(t *testing.T) {
	f := newFixture(t)
	u := f.user("a@example.test")
	c, err := f.Disable(t.Context(), f.who, f.tenant, u.ObjectID)
	if err != nil {
		t.Fatal(err)
	}
	if c.Operation != "disable" || c.By.RequestID != "r1" || c.Principal.ObjectID != u.ObjectID ||
		c.Principal.Name != "a@example.test" || c.Revision <= u.Revision || !c.At.Equal(f.now) {
		t.Fatalf("%+v", c)
	}
}

// The list has everybody once, however it is paged, and only of one tenant.
func TestListPages(t *testing.T) {
	f := newFixture(t)
	want := map[string]bool{}
	for i := range 5 {
		want[f.user(fmt.Sprintf("u%d@example.test", i)).ObjectID] = true
	}
	after := ""
	for {
		page, err := f.List(t.Context(), f.tenant, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page {
			if !want[rec.ObjectID] || rec.ObjectID <= after {
				t.Fatal("unexpected", rec.ObjectID)
			}
			delete(want, rec.ObjectID)
			after = rec.ObjectID
		}
		if len(page) < 2 {
			break
		}
	}
	if len(want) != 0 {
		t.Fatal("missing", want)
	}
}

// Bad input is refused with a kind and a sentence, not stored.
func TestInputIsChecked(t *testing.T) {
	f := newFixture(t)
	app, u := f.application("job"), f.user("a@example.test")
	ctx, short := t.Context(), twinkey.NewSecret("short")
	calls := map[string]func() error{
		"no domain":      func() error { return second(f.CreateUser(ctx, f.who, directory.NewUser{Name: "a"})) },
		"foreign domain": func() error { return second(f.CreateUser(ctx, f.who, directory.NewUser{Name: "a@elsewhere.test"})) },
		"bad local part": func() error { return second(f.CreateUser(ctx, f.who, directory.NewUser{Name: "a/b@example.test"})) },
		"short password": func() error { return second(f.SetPassword(ctx, f.who, f.tenant, u.ObjectID, short)) },
		"application's":  func() error { return second(f.SetPassword(ctx, f.who, f.tenant, app.ObjectID, app.Secret)) },
		"user's secret":  func() error { return second(f.AddSecret(ctx, f.who, f.tenant, u.ObjectID, directory.NewSecret{})) },
		"expired already": func() error {
			return second(f.AddSecret(ctx, f.who, f.tenant, app.ObjectID, directory.NewSecret{NotAfter: f.now}))
		},
		"control in name": func() error {
			return second(f.CreateServicePrincipal(ctx, f.who, directory.NewServicePrincipal{Name: "a\x00"}))
		},
		"app id no GUID": func() error {
			return second(f.CreateServicePrincipal(ctx, f.who, directory.NewServicePrincipal{Name: "a", AppID: "x"}))
		},
		"one-label domain": func() error {
			_, _, err := f.CreateTenant(ctx, f.who, directory.NewTenant{Name: "x", Domains: []string{"common"}})
			return err
		},
	}
	before := f.store.revision
	for name, call := range calls {
		if err := call(); twinkey.KindOf(err) != twinkey.Invalid || twinkey.MessageOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.store.revision != before {
		t.Error("something was stored")
	}
	wantKind(t, second(f.Disable(ctx, f.who, f.tenant, "nobody")), twinkey.PrincipalNotFound)
	wantKind(t, second(f.RemoveSecret(ctx, f.who, f.tenant, app.ObjectID, "none")), twinkey.NotFound)
}

// An application's document cannot grow without end.
func TestCredentialsAreBounded(t *testing.T) {
	f := newFixture(t)
	app := f.application("job")
	var err error
	for n := 1; err == nil; n++ {
		if n > 100 {
			t.Fatal("no bound")
		}
		_, err = f.AddSecret(t.Context(), f.who, f.tenant, app.ObjectID, directory.NewSecret{})
	}
	wantKind(t, err, twinkey.Invalid)
}

// No password and no client secret is in what is stored, printed or returned as
// an error.
func TestSecretsStayInside(t *testing.T) {
	f := newFixture(t)
	app, u := f.application("job"), f.user("a@example.test")
	var seen strings.Builder
	fmt.Fprintf(&seen, "%v %+v %#v %v %+v", app, app, app, u, u)
	for _, err := range []error{
		second(f.BySecret(t.Context(), f.tenant, app.AppID, u.Password)),
		second(f.BySecret(t.Context(), f.tenant, u.ObjectID, app.Secret)),
		second(f.signIn("a@example.test", app.Secret, "192.0.2.1")),
		second(f.signIn("nobody@example.test", u.Password, "192.0.2.1")),
		second(f.SetPassword(t.Context(), f.who, f.tenant, app.ObjectID, app.Secret)),
	} {
		if err == nil {
			t.Fatal("was to fail")
		}
		fmt.Fprintf(&seen, "%v %+v", err, errors.Unwrap(err))
	}
	printed, err := json.Marshal([]any{app, u})
	if err != nil {
		t.Fatal(err)
	}
	seen.Write(printed)
	seen.WriteString(f.store.text())
	for _, secret := range []twinkey.Secret{app.Secret, u.Password} {
		if holds(seen.String(), secret) {
			t.Error("a secret got out")
		}
		for _, planted := range spellings(secret) { // the check finds what is there
			if !holds(seen.String()+planted, secret) {
				t.Error("a planted secret was not found")
			}
		}
	}
}

// holds reports whether text has the secret in any usual spelling.
func holds(text string, secret twinkey.Secret) bool {
	for _, s := range spellings(secret) {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

func spellings(secret twinkey.Secret) []string {
	s := secret.Reveal()
	return []string{s, base64.StdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)), url.QueryEscape(s), fmt.Sprintf("%x", s)}
}

// second is the error of a call.
func second[T any](_ T, err error) error { return err }
