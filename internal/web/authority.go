package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// The files of an authority, in its directory.
const (
	authorityCertFile = "ca.pem"
	authorityKeyFile  = "ca.key"
)

// How long certificates live.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	backdate      = 5 * time.Minute // for clients whose clocks are slow

	// authorityBackdate is more: a machine's clock may be ahead when it is first
	// started, and is set right later.
	authorityBackdate = 7 * 24 * time.Hour
)

// Authority is a certificate authority of this installation's own: what clients
// trust when nobody has given the server a certificate.
type Authority struct {
	path string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
}

// OpenAuthority loads the authority in dir, or creates it: ca.pem for clients,
// and ca.key, readable by its owner alone. A certificate without its key is
// refused, since a new one would not be trusted by those who trust the old.
func OpenAuthority(dir string, now func() time.Time) (*Authority, error) {
	a := &Authority{path: filepath.Join(dir, authorityCertFile), now: now}
	keyPath := filepath.Join(dir, authorityKeyFile)
	certPEM, certErr := os.ReadFile(a.path)
	if certErr != nil && !errors.Is(certErr, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading certificate authority: %w", certErr)
	}
	keyPEM, err := readPrivate(keyPath)
	switch {
	case err == nil:
		if a.key, err = parseKey(keyPEM); err != nil {
			return nil, fmt.Errorf("reading %s: %w", keyPath, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading certificate authority: %w", err)
	case certErr == nil:
		return nil, fmt.Errorf("%s has no key beside it: restore %s, or remove %s to begin a new authority that clients must trust anew", a.path, keyPath, a.path)
	default:
		if a.key, err = createKey(keyPath); err != nil {
			return nil, fmt.Errorf("creating certificate authority: %w", err)
		}
	}
	if certErr != nil {
		if certPEM, err = a.create(); err != nil {
			return nil, fmt.Errorf("creating certificate authority: %w", err)
		}
	}
	return a, a.load(certPEM)
}

// Path is the file clients are told to trust.
func (a *Authority) Path() string { return a.path }

// Pool is the authority as a set of roots for clients in this process.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// create signs and writes the authority's own certificate.
func (a *Authority) create() ([]byte, error) {
	now := a.now()
	serial := newSerial()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"Twinkey"}, CommonName: fmt.Sprintf("Twinkey local authority %x", serial.Bytes()[:4])},
		NotBefore:             now.Add(-authorityBackdate),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return text, writeWhole(a.path, text, 0o644)
}

// load takes the authority's certificate and checks that it is of use.
func (a *Authority) load(text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return fmt.Errorf("%s holds no certificate", a.path)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("reading %s: %w", a.path, err)
	}
	if !a.key.PublicKey.Equal(cert.PublicKey) {
		return fmt.Errorf("%s does not belong to the key beside it", a.path)
	}
	if now := a.now(); now.After(cert.NotAfter) {
		return fmt.Errorf("%s expired on %s: remove it to make a new one, which clients must trust anew", a.path, cert.NotAfter.Format(time.DateOnly))
	}
	a.cert = cert
	return nil
}

// createKey makes a key and writes it where only the owner can read it.
func createKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writeWhole(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// readPrivate reads a file that nobody but its owner may read.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others than its owner: run chmod 600 %s", path, path)
	}
	return os.ReadFile(path)
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no private key in PEM form")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("no private key in PKCS #8 form") // the parser's error may quote the file
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("the private key is not an elliptic curve key")
	}
	return key, nil
}

// newSerial draws a certificate serial number of 127 bits, never zero in its
// first byte.
func newSerial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b[:])
}

// writeWhole writes a file so that after a crash it is there whole or not at all.
func writeWhole(path string, data []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
