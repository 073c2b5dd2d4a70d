package twinkey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"unique"
)

// masked is what every printer of a Secret shows.
const masked = "[secret]"

// Secret is text that must not be seen: a key, a password, a token. However it
// is printed, logged or encoded it shows a mask; Reveal is the only way out.
// Secrets are equal if their texts are.
type Secret struct {
	// A handle, since fmt reads the unexported fields of a struct around a
	// Secret without asking for its methods: what it finds there is an address.
	text unique.Handle[string]
}

// NewSecret wraps s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{text: unique.Make(s)}
}

// Reveal returns the secret text. Every use is a place to review.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// String masks the secret.
func (s Secret) String() string { return masked }

// Format masks the secret under every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(masked)) }

// LogValue masks the secret in structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText masks the secret in JSON, YAML and every other text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Digest is the SHA-256 of a key. A key has at least 128 random bits, so the
// digest needs neither salt nor pepper, and it is all a gateway ever holds.
type Digest [sha256.Size]byte

// DigestOf digests a presented or generated key.
func DigestOf(key string) Digest { return sha256.Sum256([]byte(key)) }

// MarshalText writes lower-case hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(d[:])), nil }

// UnmarshalText reads 64 hexadecimal characters.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("digest has %d characters instead of %d", len(text), 2*len(d))
	}
	_, err := hex.Decode(d[:], text)
	return err
}
