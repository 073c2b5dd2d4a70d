package idp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinkey/twinkey"
)

// keyBits is the size of a signing key (RFC 7518, section 3.3, asks for as much).
const keyBits = 2048

// publishAhead is how long a key that is to replace another one is published
// before it signs, so that whoever caches the public keys has seen it.
const publishAhead = time.Hour

// keys are the signing keys at one moment, the newest first.
type keys struct {
	private []signingKey
	public  []jose.JSONWebKey
}

type signingKey struct {
	id         string
	activeFrom time.Time
	key        *rsa.PrivateKey
}

// sealedForm is what is sealed of a signing key.
type sealedForm struct {
	ActiveFrom time.Time `json:"activeFrom"`
	PKCS8      []byte    `json:"pkcs8"`
}

// Prepare loads the signing keys, and makes the first one if there is none,
// which takes some tenths of a second. It may be called again after an error.
func (p *Provider) Prepare(ctx context.Context) error {
	p.keyChanges.Lock()
	defer p.keyChanges.Unlock()
	if err := p.load(ctx); err != nil {
		return err
	}
	if len(p.keys.Load().private) == 0 {
		if err := p.addKey(ctx, p.now()); err != nil {
			return err
		}
		if err := p.load(ctx); err != nil {
			return err
		}
	}
	p.announce.Do(func() { close(p.ready) })
	return nil
}

// Rotate publishes another signing key, which takes over in an hour. The keys
// before it stay published.
func (p *Provider) Rotate(ctx context.Context) error {
	p.keyChanges.Lock()
	defer p.keyChanges.Unlock()
	if err := p.addKey(ctx, p.now().Add(publishAhead)); err != nil {
		return err
	}
	return p.load(ctx)
}

// load reads all keys from the store and puts them in force together.
func (p *Provider) load(ctx context.Context) error {
	stored, err := p.store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("reading signing keys: %w", err)
	}
	next := &keys{}
	for _, s := range stored {
		k, err := p.open(s)
		if err != nil {
			return fmt.Errorf("reading signing key %s: %w", s.ID, err)
		}
		next.private = append(next.private, k)
	}
	slices.SortFunc(next.private, func(a, b signingKey) int { return b.activeFrom.Compare(a.activeFrom) })
	for _, k := range next.private {
		next.public = append(next.public, jose.JSONWebKey{Key: k.key.Public(), KeyID: k.id, Algorithm: string(jose.RS256), Use: "sig"})
	}
	p.keys.Store(next)
	return nil
}

// addKey generates a key and stores it sealed. Its id is its thumbprint (RFC
// 7638).
func (p *Provider) addKey(ctx context.Context, activeFrom time.Time) error {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("generating signing key: %w", err)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return fmt.Errorf("naming signing key: %w", err)
	}
	form := sealedForm{ActiveFrom: activeFrom.UTC()}
	if form.PKCS8, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return fmt.Errorf("encoding signing key: %w", err)
	}
	plain, err := json.Marshal(form)
	if err != nil {
		return fmt.Errorf("encoding signing key: %w", err)
	}
	stored := SealedKey{ID: base64.RawURLEncoding.EncodeToString(thumbprint)}
	if stored.Sealed, err = p.sealer.SealBlob(purpose(stored.ID), plain); err != nil {
		return fmt.Errorf("sealing signing key: %w", err)
	}
	if err := p.store.PutSigningKey(ctx, stored); err != nil {
		return fmt.Errorf("writing signing key: %w", err)
	}
	return nil
}

// open undoes what addKey did.
func (p *Provider) open(s SealedKey) (signingKey, error) {
	plain, err := p.sealer.OpenBlob(purpose(s.ID), s.Sealed)
	if err != nil {
		return signingKey{}, err
	}
	var form sealedForm
	if json.Unmarshal(plain, &form) != nil {
		return signingKey{}, errors.New("what was sealed is not a signing key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(form.PKCS8)
	if err != nil {
		return signingKey{}, errors.New("what was sealed is not a private key")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return signingKey{}, errors.New("what was sealed is not an RSA key")
	}
	return signingKey{id: s.ID, activeFrom: form.ActiveFrom, key: key}, nil
}

// sign makes a token of claims with the newest key whose time has come.
func (p *Provider) sign(ctx context.Context, claims any) (string, error) {
	if err := p.waitReady(ctx); err != nil {
		return "", err
	}
	all := p.keys.Load().private
	if len(all) == 0 {
		return "", twinkey.Errorf(twinkey.Unavailable, "The signing keys are gone from the store.")
	}
	active := all[len(all)-1]
	for _, k := range all {
		if !p.now().Before(k.activeFrom) {
			active = k
			break
		}
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: active.key, KeyID: active.id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("signing token: %w", err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("signing token: %w", err)
	}
	return text, nil
}

func purpose(keyID string) string { return "idp signing key " + keyID }
