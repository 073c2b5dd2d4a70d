package twinkey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// masked is what every printer of a Secret shows.
const masked = "[secret]"

// Secret is text that must not be seen: a key, a password, a token. However it
// is printed, logged or encoded it shows a mask; Reveal is the only way out.
type Secret struct{ text string }

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{text: s} }

// Reveal returns the secret text. Every use is a place to review.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

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
