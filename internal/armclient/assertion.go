package armclient

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	twinkey "github.com/twinkey/twinkey"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

// The PEM headers that say whose key it is.
const (
	clientIDHeader = "Twinkey-Client-Id"
	keyIDHeader    = "Twinkey-Key-Id"
)

// assertionLife is how long an assertion is good for: as long as Entra's own
// clients ask.
const assertionLife = 10 * time.Minute

// AssertionKey is an application's private key.
type AssertionKey struct {
	ClientID  string // the application's id
	KeyID     string // the kid in the assertion's header
	private   crypto.Signer
	algorithm jose.SignatureAlgorithm
}

// ParseAssertionKey reads a PEM block that holds a PKCS #8 key, EC P-256 (signs
// ES256) or RSA of 2048 bits or more (RS256), and names its application in the
// headers Twinkey-Client-Id and Twinkey-Key-Id.
func ParseAssertionKey(text []byte) (*AssertionKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, twinkey.Errorf(twinkey.Invalid, "the file holds no PEM block of type PRIVATE KEY")
	}
	key := &AssertionKey{ClientID: block.Headers[clientIDHeader], KeyID: block.Headers[keyIDHeader]}
	if key.ClientID == "" || key.KeyID == "" {
		return nil, twinkey.Errorf(twinkey.Invalid, "the PEM block lacks the headers %s and %s", clientIDHeader, keyIDHeader)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, twinkey.Errorf(twinkey.Invalid, "the PEM block holds no PKCS #8 private key")
	}
	switch private := parsed.(type) {
	case *ecdsa.PrivateKey:
		if private.Curve == elliptic.P256() {
			key.private, key.algorithm = private, jose.ES256
			return key, nil
		}
	case *rsa.PrivateKey:
		if private.N.BitLen() >= 2048 {
			key.private, key.algorithm = private, jose.RS256
			return key, nil
		}
	}
	return nil, twinkey.Errorf(twinkey.Invalid, "the private key is neither EC P-256 nor RSA of at least 2048 bits")
}

// assertion is the JWT of RFC 7523, section 3.
func (k *AssertionKey) assertion(audience string, now time.Time) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: k.algorithm, Key: jose.JSONWebKey{Key: k.private, KeyID: k.KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("preparing the assertion key: %w", err)
	}
	signed, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: k.ClientID, Subject: k.ClientID, Audience: jwt.Audience{audience}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("signing the assertion: %w", err)
	}
	return signed, nil
}
