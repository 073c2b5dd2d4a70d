package directory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"time"

	"github.com/twinkey/twinkey"
)

// The sizes of an RSA modulus, in bits: what RFC 7518, section 3.3, asks for at
// least, and what keeps a signature check cheap.
const (
	minRSABits = 2048
	maxRSABits = 4096
)

// maxJWK is the largest JWK that is read, in bytes; one with a certificate
// chain has a few thousand.
const maxJWK = 16 << 10

// jwk is what is kept of a JWK (RFC 7517, section 4; RFC 7518, section 6).
type jwk struct {
	Type             string `json:"kty"`
	Algorithm        string `json:"alg,omitempty"`
	KeyID            string `json:"kid,omitempty"`
	Curve            string `json:"crv,omitempty"`
	N                string `json:"n,omitempty"`
	E                string `json:"e,omitempty"`
	X                string `json:"x,omitempty"`
	Y                string `json:"y,omitempty"`
	ThumbprintSHA1   string `json:"x5t,omitempty"`
	ThumbprintSHA256 string `json:"x5t#S256,omitempty"`
}

// newKey checks a JWK and makes a credential of it.
func (s *Service) newKey(raw json.RawMessage, notAfter time.Time) (Key, error) {
	var members map[string]json.RawMessage
	var k jwk
	if len(raw) > maxJWK || json.Unmarshal(raw, &members) != nil || json.Unmarshal(raw, &k) != nil {
		return Key{}, twinkey.Errorf(twinkey.Invalid, "The key is not a JSON Web Key (RFC 7517) of at most %d bytes.", maxJWK)
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, ok := members[name]; ok {
			return Key{}, twinkey.Errorf(twinkey.Invalid, "The key holds the private member '%s'. Register the public key only, and consider this one compromised.", name)
		}
	}
	if !k.usable() {
		return Key{}, twinkey.Errorf(twinkey.Invalid, "The key is not usable. Allowed: RSA of %d to %d bits with 'alg' RS256, PS256 or none, and EC on the curve P-256 with 'alg' ES256 or none.", minRSABits, maxRSABits)
	}
	if !k.named() {
		return Key{}, twinkey.Errorf(twinkey.Invalid, "The key has no usable name. Give it a 'kid' of at most 256 bytes, or the 'x5t' (SHA-1) or 'x5t#S256' (SHA-256) of its certificate, base64url without padding.")
	}
	kept, err := json.Marshal(k)
	if err != nil {
		return Key{}, err
	}
	return Key{
		ID: newID(), JWK: kept, KeyID: k.KeyID,
		ThumbprintSHA1: k.ThumbprintSHA1, ThumbprintSHA256: k.ThumbprintSHA256,
		Created: s.now().UTC(), NotAfter: notAfter,
	}, nil
}

// usable reports whether a signature can be checked with the key.
func (k *jwk) usable() bool {
	switch k.Type {
	case "RSA":
		n, e := number(k.N), number(k.E)
		return slices.Contains([]string{"", "RS256", "PS256"}, k.Algorithm) &&
			n != nil && n.BitLen() >= minRSABits && n.BitLen() <= maxRSABits &&
			e != nil && e.BitLen() <= 31 && e.Int64() >= 3 && e.Bit(0) == 1
	case "EC":
		x, errX := decode(k.X)
		y, errY := decode(k.Y)
		if k.Curve != "P-256" || errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			return false
		}
		_, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
		return err == nil && slices.Contains([]string{"", "ES256"}, k.Algorithm)
	}
	return false
}

// named reports whether an assertion can name the key.
func (k *jwk) named() bool {
	if len(k.KeyID) > 256 {
		return false
	}
	names := 0
	for _, t := range []struct {
		text   string
		length int
	}{{k.ThumbprintSHA1, sha1.Size}, {k.ThumbprintSHA256, sha256.Size}} {
		if t.text == "" {
			continue
		}
		b, err := decode(t.text)
		if err != nil || len(b) != t.length {
			return false
		}
		names++
	}
	return names > 0 || k.KeyID != ""
}

// number reads an integer member, nil if it is none.
func number(s string) *big.Int {
	b, err := decode(s)
	if err != nil || len(b) == 0 {
		return nil
	}
	return new(big.Int).SetBytes(b)
}

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }
