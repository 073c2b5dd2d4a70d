package sealing

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/twinkey/twinkey"
)

// outerPrefix begins the text form of an outer key, so that a file or variable
// holding something else is noticed.
const outerPrefix = "twinkey-outer-key-1 "

// OuterKey wraps data keys. It is never stored beside what it wraps.
type OuterKey struct {
	id   string
	aead cipher.AEAD
}

// wrapped is the stored form of a data key.
type wrapped struct {
	Version int    `json:"version"`
	Outer   string `json:"outer"` // id of the outer key that opens it
	Data    []byte `json:"data"`
}

// ParseOuterKey reads the text form, as a file or an environment variable holds it.
func ParseOuterKey(text twinkey.Secret) (*OuterKey, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(text.Reveal()), outerPrefix)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(raw) != 32 {
		return nil, errors.New("the outer key is not in the form this server wrote it")
	}
	return newOuterKey(raw)
}

// ReadOuterKey reads an outer key file. A missing file is fs.ErrNotExist.
func ReadOuterKey(path string) (*OuterKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the outer key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the outer key file %s can be read by others; run: chmod 600 %s", path, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the outer key: %w", err)
	}
	key, err := ParseOuterKey(twinkey.NewSecret(string(text)))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return key, nil
}

// CreateOuterKey makes an outer key and writes it, readable by its owner alone.
// An existing file is never overwritten.
func CreateOuterKey(path string) (*OuterKey, error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	text := outerPrefix + base64.StdEncoding.EncodeToString(raw[:]) + "\n"
	if err := writeNew(path, []byte(text)); err != nil {
		return nil, fmt.Errorf("creating the outer key: %w", err)
	}
	return newOuterKey(raw[:])
}

// NewDataKey makes a data key and returns it wrapped.
func (k *OuterKey) NewDataKey(id uint32) ([]byte, error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:])
	doc := wrapped{Version: 1, Outer: k.id, Data: k.aead.Seal(nil, nil, raw[:], wrapAssociated(id))}
	return json.Marshal(doc)
}

// Open unwraps every data key. It fails if even one does not open, since what
// that key sealed would be lost silently otherwise.
func (k *OuterKey) Open(dataKeys map[uint32][]byte) (*Ring, error) {
	if len(dataKeys) == 0 {
		return nil, errors.New("there is no data key to open")
	}
	ring := &Ring{keys: map[uint32]cipher.AEAD{}}
	for id, stored := range dataKeys {
		var doc wrapped
		if err := json.Unmarshal(stored, &doc); err != nil {
			return nil, fmt.Errorf("reading data key %d: %w", id, err)
		}
		if doc.Outer != k.id {
			return nil, fmt.Errorf("data key %d is wrapped by outer key %s, but the one given is %s", id, doc.Outer, k.id)
		}
		raw, err := k.aead.Open(nil, nil, doc.Data, wrapAssociated(id))
		if err != nil {
			return nil, fmt.Errorf("data key %d was changed, or is not wrapped by outer key %s", id, k.id)
		}
		if ring.keys[id], err = newAEAD(raw); err != nil {
			return nil, err
		}
		ring.newest = max(ring.newest, id)
	}
	return ring, nil
}

func newOuterKey(raw []byte) (*OuterKey, error) {
	aead, err := newAEAD(raw)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte("twinkey outer key id"), raw...))
	return &OuterKey{id: hex.EncodeToString(sum[:4]), aead: aead}, nil
}

func wrapAssociated(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{formatWrap}, id)
}

// writeNew writes a file that must not exist, whole or not at all.
func writeNew(path string, data []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".outer-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Link(f.Name(), path) // fails if somebody was faster
}
