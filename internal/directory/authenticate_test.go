package directory_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

func wantRefusal(t *testing.T, err error, want directory.Refusal) {
	t.Helper()
	if got, ok := errors.AsType[directory.Refusal](err); !ok || got != want {
		t.Fatalf("got %v, want %v", err, want)
	}
}

// The right password, and nothing else, proves who a user is.
func TestPassword(t *testing.T) {
	f := newFixture(t)
	u := f.user("a@example.test")
	id, err := f.signIn("A@Example.test", u.Password, "192.0.2.1")
	if err != nil || id.ObjectID != u.ObjectID || id.CredentialID != u.CredentialID || id.Type != twinkey.User || id.DisplayName != "a" {
		t.Fatalf("%+v, %v", id, err)
	}
	if _, err := f.Resolve(t.Context(), f.tenant, id.ObjectID, id.CredentialID); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "wrong", u.Password.Reveal() + " ", u.Password.Reveal()[1:]} {
		_, err = f.signIn("a@example.test", twinkey.NewSecret(wrong), fmt.Sprintf("192.0.2.%d", len(wrong)))
		wantKind(t, err, twinkey.Unauthenticated)
		wantRefusal(t, err, directory.WrongPassword)
		f.now = f.now.Add(time.Hour)
	}
}

// Nobody learns from a refusal whether a user exists, nor that one is disabled
// without knowing the password.
func TestRefusalsDoNotTellUsersApart(t *testing.T) {
	f := newFixture(t)
	f.user("a@example.test")
	off := f.user("off@example.test")
	if _, err := f.Disable(t.Context(), f.who, f.tenant, off.ObjectID); err != nil {
		t.Fatal(err)
	}
	app := f.application("job")
	wrong := twinkey.NewSecret("wrong password")
	_, want := f.signIn("a@example.test", wrong, "192.0.2.1")
	for _, name := range []string{"nobody@example.test", "off@example.test", app.AppID, "", string(make([]byte, 4000))} {
		_, err := f.signIn(name, wrong, "192.0.2.1")
		if err == nil || err.Error() != want.Error() {
			t.Errorf("%.20q is refused with %v instead of %v", name, err, want)
		}
		f.now = f.now.Add(time.Hour)
	}
	_, err := f.signIn("off@example.test", off.Password, "192.0.2.1")
	wantRefusal(t, err, directory.Disabled)
}

// A name nobody has costs a hash like any other: a caller that goes away
// between the look-up and the hash is noticed at the hash in both cases.
func TestUnknownUserReachesTheHash(t *testing.T) {
	f := newFixture(t)
	f.user("a@example.test")
	for _, name := range []string{"a@example.test", "nobody@example.test"} {
		ctx, cancel := context.WithCancel(t.Context())
		f.store.onLookup = cancel
		_, err := f.ByPassword(ctx, f.tenant, name, twinkey.NewSecret("wrong password"), netip.Addr{})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A user's password can be guessed a few times, from wherever; then nothing is
// looked at until time has passed.
func TestFailuresOfAUserAreLimited(t *testing.T) {
	f := newFixture(t)
	u := f.user("a@example.test")
	wrong := twinkey.NewSecret("wrong password")
	for i := range 3 {
		_, err := f.signIn("a@example.test", wrong, fmt.Sprintf("192.0.2.%d", i))
		wantRefusal(t, err, directory.WrongPassword)
	}
	lookups := f.store.lookups
	_, err := f.signIn("A@example.test", u.Password, "192.0.2.99")
	wantKind(t, err, twinkey.TooManyRequests)
	wantRefusal(t, err, directory.TooManyFailures)
	if f.store.lookups != lookups {
		t.Fatal("the password was looked at")
	}
	f.now = f.now.Add(time.Minute) // a third of the window: one is forgiven
	if _, err = f.signIn("a@example.test", u.Password, "192.0.2.99"); err != nil {
		t.Fatal(err)
	}
	for range 3 { // success wiped the slate
		_, err = f.signIn("a@example.test", wrong, "192.0.2.99")
		wantRefusal(t, err, directory.WrongPassword)
	}
}

// One address can try a few users; its neighbour is not held up, unless it is
// the same IPv6 network. Signing in oneself does not buy more guesses.
func TestFailuresOfAnAddressAreLimited(t *testing.T) {
	for _, c := range []struct {
		from, same, other string
	}{
		{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"},
	} {
		f := newFixture(t)
		u := f.user("a@example.test")
		for i := range 6 {
			if _, err := f.signIn("a@example.test", u.Password, c.from); err != nil {
				t.Fatal(err)
			}
			_, err := f.signIn(fmt.Sprintf("u%d@example.test", i), twinkey.NewSecret("x"), c.from)
			wantRefusal(t, err, directory.WrongPassword)
		}
		_, err := f.signIn("a@example.test", u.Password, c.same)
		wantRefusal(t, err, directory.TooManyFailures)
		if _, err := f.signIn("a@example.test", u.Password, c.other); err != nil {
			t.Fatal(err)
		}
	}
}

// What a broken store or a departed client interrupted is no failure.
func TestInterruptionsAreNotFailures(t *testing.T) {
	f := newFixture(t)
	u := f.user("a@example.test")
	f.store.broken = twinkey.Errorf(twinkey.Unavailable, "no store")
	for range 10 {
		_, err := f.signIn("a@example.test", u.Password, "192.0.2.1")
		wantKind(t, err, twinkey.Unavailable)
	}
	f.store.broken = nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		_, err := f.ByPassword(gone, f.tenant, "a@example.test", u.Password, netip.MustParseAddr("192.0.2.1"))
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if _, err := f.signIn("a@example.test", u.Password, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
}

// A client secret proves an application until it is removed or expires.
func TestSecret(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	app := f.application("job")
	added, err := f.AddSecret(ctx, f.who, f.tenant, app.ObjectID, directory.NewSecret{NotAfter: f.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if added.Secret == app.Secret || len(added.Secret.Reveal()) < 43 || added.Hint == "" {
		t.Fatal("bad secret")
	}
	for _, c := range []struct {
		secret     twinkey.Secret
		credential string
	}{{app.Secret, app.CredentialID}, {added.Secret, added.CredentialID}} {
		id, err := f.BySecret(ctx, f.tenant, app.AppID, c.secret)
		if err != nil || id.CredentialID != c.credential || id.AppID != app.AppID || id.Type != twinkey.ServicePrincipal {
			t.Fatalf("%+v, %v", id, err)
		}
	}
	_, err = f.BySecret(ctx, f.tenant, app.AppID, twinkey.NewSecret("wrong"))
	wantRefusal(t, err, directory.WrongSecret)
	_, err = f.BySecret(ctx, f.tenant, f.tenant, app.Secret)
	wantRefusal(t, err, directory.UnknownApplication)
	_, err = f.BySecret(ctx, f.tenant, f.user("a@example.test").Principal.Name, app.Secret)
	wantRefusal(t, err, directory.UnknownApplication)
	f.now = f.now.Add(time.Hour)
	_, err = f.BySecret(ctx, f.tenant, app.AppID, added.Secret)
	wantRefusal(t, err, directory.ExpiredCredential)
	if _, err := f.Disable(ctx, f.who, f.tenant, app.ObjectID); err != nil {
		t.Fatal(err)
	}
	_, err = f.BySecret(ctx, f.tenant, app.AppID, app.Secret)
	wantRefusal(t, err, directory.Disabled)
	_, err = f.BySecret(ctx, f.tenant, app.AppID, twinkey.NewSecret("wrong"))
	wantRefusal(t, err, directory.WrongSecret) // whoever has no secret does not learn of it
}
