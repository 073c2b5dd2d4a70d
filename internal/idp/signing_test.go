package idp_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/idp"
)

// The first token waits for the signing key, the rest of the server does not.
func TestFirstTokenWaitsForTheKey(t *testing.T) {
	f := newFixture(t)
	v := sharedVault()
	synctest.Test(t, func(t *testing.T) {
		p, err := idp.New(idp.Config{PublicURL: publicURL, Directory: f.directory, Store: f.store, Sealer: v.ring, Now: f.clock})
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{t: t, Provider: p, store: f.store, tenant: f.tenant, app: f.app, now: f.now}
		if a := f.get("/adfs/.well-known/openid-configuration"); a.status != http.StatusOK || len(p.PublicKeys()) != 0 {
			t.Fatal(a.text)
		}
		answers := make(chan answer, 2)
		go func() { answers <- f.post(adfsToken, f.secretForm()) }()
		go func() { answers <- f.get("/adfs/discovery/keys") }()
		synctest.Wait()
		if len(answers) != 0 {
			t.Fatal("answered without a key")
		}
		if err := p.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range cap(answers) {
			if a := <-answers; a.status != http.StatusOK {
				t.Fatal(a.text)
			}
		}
	})
}

// A key that does not come makes a clear answer, in time, and uses nothing up.
func TestKeyThatDoesNotCome(t *testing.T) {
	f := newFixture(t)
	v := sharedVault()
	s, _ := rsaSigner(f)
	synctest.Test(t, func(t *testing.T) {
		p, err := idp.New(idp.Config{PublicURL: publicURL, Directory: f.directory, Store: f.store, Sealer: v.ring, Now: f.clock})
		if err != nil {
			t.Fatal(err)
		}
		s.f = &fixture{t: t, Provider: p, app: f.app, tenant: f.tenant, now: f.now}
		assertion := s.sign(s.claims("1"))
		wantCode(t, s.send(adfsToken, assertion), http.StatusServiceUnavailable, 90033)
		if err := p.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantToken(t, s.send(adfsToken, assertion))
	})
}

// A restart finds the key it had; what is stored of it is sealed.
func TestKeySurvivesARestart(t *testing.T) {
	ring, err := newRing(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	f.store.sealed = nil
	config := idp.Config{PublicURL: publicURL, Directory: f.directory, Store: f.store, Sealer: ring, Now: f.clock}
	var ids [2]string
	for i := range ids {
		p, err := idp.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(p.PublicKeys()) != 1 || !p.PublicKeys()[0].IsPublic() {
			t.Fatal(p.PublicKeys())
		}
		ids[i] = p.PublicKeys()[0].KeyID
	}
	if ids[0] != ids[1] || len(f.store.sealed) != 1 {
		t.Fatal(ids)
	}
	if _, err := x509.ParsePKCS8PrivateKey(f.store.sealed[0].Sealed); err == nil || strings.Contains(f.store.text(), "pkcs8") {
		t.Fatal("the key is in clear")
	}
	config.Sealer = sharedVault().ring
	p, err := idp.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Prepare(t.Context()); err == nil || len(p.PublicKeys()) != 0 || len(f.store.sealed) != 1 {
		t.Fatal("a key that does not open was replaced by another")
	}
}

// A new key is published before it signs, and the old one stays published, so
// that tokens of both verify throughout.
func TestRotation(t *testing.T) {
	f := newFixture(t)
	before := wantToken(t, f.post(adfsToken, f.secretForm()))
	if err := f.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.PublicKeys()) != 2 {
		t.Fatal(f.PublicKeys())
	}
	kid := func(text string) string {
		header, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[0])
		if err != nil {
			t.Fatal(err)
		}
		return string(header)
	}
	if during := wantToken(t, f.post(adfsToken, f.secretForm())); kid(during) != kid(before) {
		t.Fatal("the new key signs at once")
	}
	f.pass(time.Hour)
	after := wantToken(t, f.post(adfsToken, f.secretForm()))
	if kid(after) == kid(before) {
		t.Fatal("the new key does not sign")
	}
	f.verify(before)
	f.verify(after)
}

// A store that is away when the server starts is no reason to make a key, and
// Prepare can be tried again.
func TestPrepareAgain(t *testing.T) {
	f := newFixture(t)
	p, err := idp.New(idp.Config{PublicURL: publicURL, Directory: f.directory, Store: f.store, Sealer: sharedVault().ring, Now: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	f.store.broken = twinkey.Errorf(twinkey.Unavailable, "no leader")
	if err := p.Prepare(context.Background()); twinkey.KindOf(err) != twinkey.Unavailable {
		t.Fatal(err)
	}
	f.store.broken = nil
	if err := p.Prepare(t.Context()); err != nil || len(p.PublicKeys()) != 1 {
		t.Fatal(err)
	}
}
