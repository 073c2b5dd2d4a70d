package directory_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func rsaJWK(t *testing.T, bits int) map[string]any {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"kty": "RSA", "kid": "k1", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
}

func with(m map[string]any, name string, value any) map[string]any {
	out := map[string]any{name: value}
	for k, v := range m {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// Only public keys that a signature can safely be checked with are registered,
// and nothing of them but the public members is kept.
func TestKeyCredential(t *testing.T) {
	f := newFixture(t)
	good := rsaJWK(t, 2048)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	goodEC := map[string]any{"kty": "EC", "crv": "P-256", "kid": "k2", "x": b64(point[1:33]), "y": b64(point[33:])}
	thumb := b64(make([]byte, 20))
	add := func(v any) error {
		raw, ok := v.(json.RawMessage)
		if !ok {
			var err error
			if raw, err = json.Marshal(v); err != nil {
				t.Fatal(err)
			}
		}
		app := f.application("job")
		_, err := f.AddKeyCredential(t.Context(), f.who, f.tenant, app.ObjectID, raw, time.Time{})
		return err
	}
	for name, v := range map[string]any{
		"RSA": good, "EC": goodEC, "by thumbprint": with(with(good, "kid", ""), "x5t", thumb), "with chain": with(good, "x5c", []string{"x"}),
		"bound to an algorithm": with(good, "alg", "PS256"),
	} {
		if err := add(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Contains(f.store.text(), "x5c") {
		t.Error("the chain was kept")
	}
	for name, v := range map[string]any{
		"private":           with(good, "d", "AQAB"),
		"symmetric":         map[string]any{"kty": "oct", "k": "AAAA", "kid": "k"},
		"small":             rsaJWK(t, 1024),
		"exponent 1":        with(good, "e", "AQ"),
		"even exponent":     with(good, "e", "BA"),
		"other algorithm":   with(good, "alg", "RS1"),
		"no name":           with(good, "kid", ""),
		"padded thumbprint": with(good, "x5t", thumb+"="),
		"short thumbprint":  with(good, "x5t#S256", thumb),
		"not on the curve":  with(goodEC, "y", goodEC["x"]),
		"other curve":       with(goodEC, "crv", "P-521"),
		"no JSON":           json.RawMessage("{"),
		"no object":         json.RawMessage("[]"),
		"too long":          json.RawMessage(fmt.Sprintf(`{"kty":"RSA","pad":%q}`, strings.Repeat("x", 20000))),
	} {
		if err := add(v); twinkey.KindOf(err) != twinkey.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A registered key stands for its application until it is removed.
func TestKeysOf(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	raw, err := json.Marshal(rsaJWK(t, 2048))
	if err != nil {
		t.Fatal(err)
	}
	app, err := f.CreateServicePrincipal(ctx, f.who, directory.NewServicePrincipal{Tenant: f.tenant, Name: "local", Key: raw})
	if err != nil || !app.Secret.IsZero() {
		t.Fatal("a key was given, and a secret made", err)
	}
	p, keys, err := f.KeysOf(ctx, f.tenant, strings.ToUpper(app.AppID))
	if err != nil || len(keys) != 1 || keys[0].ID != app.CredentialID || keys[0].KeyID != "k1" || p.ObjectID != app.ObjectID {
		t.Fatalf("%+v %+v %v", p, keys, err)
	}
	if _, err := f.Resolve(ctx, f.tenant, app.ObjectID, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := f.RemoveKeyCredential(ctx, f.who, f.tenant, app.ObjectID, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	_, err = f.Resolve(ctx, f.tenant, app.ObjectID, keys[0].ID)
	wantRefusal(t, err, directory.Gone)
	if _, keys, err = f.KeysOf(ctx, f.tenant, app.AppID); err != nil || len(keys) != 0 {
		t.Fatal(keys, err)
	}
}
