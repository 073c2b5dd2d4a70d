// Package sealing makes keys and keeps them unreadable at rest: AES-256-GCM
// under a data key, which is itself wrapped by the outer key that lives outside
// the data directory.
//
// It refuses to store anything, to decide who may see a key, and to make a
// second outer key where sealed data already exists.
package sealing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/twinkey/twinkey"
)

// The first byte of everything sealed says what it is, and is authenticated.
const (
	formatKey  byte = 1
	formatBlob byte = 2
	formatWrap byte = 3
)

// uidLen is the width of an account uid, fixed so that two different (uid, slot)
// pairs can never authenticate as the same bytes.
const uidLen = 32

// Place is where a sealed key belongs. A sealed key opens only in the place it
// was sealed for.
type Place struct {
	UID        twinkey.UID
	Slot       twinkey.KeyName
	Generation twinkey.Generation
}

// NewKey makes a key: 16 random bytes as 32 lower-case hexadecimal characters,
// the form Azure's own clients and documents show.
func NewKey() twinkey.Secret {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return twinkey.NewSecret(hex.EncodeToString(b[:]))
}

// NewUID makes an account uid.
func NewUID() twinkey.UID {
	var b [uidLen / 2]byte
	_, _ = rand.Read(b[:])
	return twinkey.UID(hex.EncodeToString(b[:]))
}

// Ring seals with its newest data key and opens with any it holds. It is
// immutable and safe for concurrent use.
type Ring struct {
	newest uint32
	keys   map[uint32]cipher.AEAD
}

// Seal encrypts key for place.
func (r *Ring) Seal(place Place, key twinkey.Secret) ([]byte, error) {
	ad, err := place.associated(r.newest)
	if err != nil {
		return nil, err
	}
	return r.seal(formatKey, []byte(key.Reveal()), ad), nil
}

// Open decrypts what was sealed for place and checks that it is the key with
// that digest.
func (r *Ring) Open(place Place, sealed []byte, digest twinkey.Digest) (twinkey.Secret, error) {
	plain, err := r.open(formatKey, sealed, place.associated)
	if err != nil {
		return twinkey.Secret{}, fmt.Errorf("opening %s of account %s: %w", place.Slot.Label(), place.UID, err)
	}
	if twinkey.DigestOf(string(plain)) != digest {
		return twinkey.Secret{}, fmt.Errorf("opening %s of account %s: the key does not match its digest", place.Slot.Label(), place.UID)
	}
	return twinkey.NewSecret(string(plain)), nil
}

// SealBlob encrypts anything else, bound to what it is for.
func (r *Ring) SealBlob(purpose string, plain []byte) ([]byte, error) {
	ad, _ := blobAssociated(purpose)(r.newest)
	return r.seal(formatBlob, plain, ad), nil
}

// OpenBlob decrypts what SealBlob made for the same purpose.
func (r *Ring) OpenBlob(purpose string, sealed []byte) ([]byte, error) {
	plain, err := r.open(formatBlob, sealed, blobAssociated(purpose))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", purpose, err)
	}
	return plain, nil
}

// seal lays out: format byte, data-key id (4 bytes), nonce and ciphertext.
func (r *Ring) seal(format byte, plain, associated []byte) []byte {
	out := binary.BigEndian.AppendUint32([]byte{format}, r.newest)
	return r.keys[r.newest].Seal(out, nil, plain, associated)
}

func (r *Ring) open(format byte, sealed []byte, associated func(uint32) ([]byte, error)) ([]byte, error) {
	if len(sealed) < 5 || sealed[0] != format {
		return nil, errors.New("not sealed in a form this version knows")
	}
	id := binary.BigEndian.Uint32(sealed[1:5])
	aead, ok := r.keys[id]
	if !ok {
		return nil, fmt.Errorf("data key %d is missing", id)
	}
	ad, err := associated(id)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed[5:], ad)
	if err != nil {
		return nil, errors.New("the sealed bytes were changed, or belong elsewhere")
	}
	return plain, nil
}

// associated is fixed-width: format, data-key id, uid, slot, generation.
func (p Place) associated(dataKey uint32) ([]byte, error) {
	if len(p.UID) != uidLen || p.Slot.Index() < 0 || p.Slot.Index() > 1 {
		return nil, fmt.Errorf("'%s' %s is no place for a key", p.UID, p.Slot)
	}
	ad := binary.BigEndian.AppendUint32([]byte{formatKey}, dataKey)
	ad = append(ad, p.UID...)
	ad = append(ad, byte(p.Slot))
	return binary.BigEndian.AppendUint64(ad, uint64(p.Generation)), nil
}

func blobAssociated(purpose string) func(uint32) ([]byte, error) {
	return func(dataKey uint32) ([]byte, error) {
		sum := sha256.Sum256([]byte(purpose))
		return append(binary.BigEndian.AppendUint32([]byte{formatBlob}, dataKey), sum[:]...), nil
	}
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
