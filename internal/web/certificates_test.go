package web_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/web"
)

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// presented is the certificate a client gets.
func presented(t *testing.T, config *tls.Config) *x509.Certificate {
	t.Helper()
	cert, err := config.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

// Clients who trusted the authority once trust it after a restart; its key is
// its owner's alone.
func TestAuthorityStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "conf")
	first, err := web.OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "ca.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("ca.key: %v, %v", info.Mode(), err)
	}
	second, err := web.OpenAuthority(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var l logs
	certificates, err := second.Issue([]string{"keys.example.com", "192.0.2.9"}, l.logger())
	if err != nil {
		t.Fatal(err)
	}
	leaf := presented(t, certificates.TLS())
	for _, name := range []string{"keys.example.com", "192.0.2.9", "localhost", "127.0.0.1", "::1"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: first.Pool()}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "other.example.com", Roots: first.Pool()}); err == nil {
		t.Error("the certificate is good for a name nobody asked for")
	}
}

// A damaged authority is refused with a remedy, never replaced in silence.
func TestAuthorityRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(dir string) error
		says   string
	}{
		"no key":       {func(dir string) error { return os.Remove(filepath.Join(dir, "ca.key")) }, "no key beside it"},
		"readable key": {func(dir string) error { return os.Chmod(filepath.Join(dir, "ca.key"), 0o640) }, "chmod 600"},
		"broken key":   {func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.key"), []byte("x"), 0o600) }, "no private key"},
		"broken cert":  {func(dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("x"), 0o644) }, "no certificate"},
		"foreign key": {func(dir string) error {
			other := filepath.Join(dir, "other")
			if _, err := web.OpenAuthority(other, time.Now); err != nil {
				return err
			}
			return os.Rename(filepath.Join(other, "ca.key"), filepath.Join(dir, "ca.key"))
		}, "does not belong"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := web.OpenAuthority(dir, time.Now); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := web.OpenAuthority(dir, time.Now); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// A server that runs for years always shows a certificate that is good.
func TestLeafIsRenewedWhileRunning(t *testing.T) {
	c := &clock{at: time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC)}
	authority, err := web.OpenAuthority(t.TempDir(), c.now)
	if err != nil {
		t.Fatal(err)
	}
	var l logs
	certificates, err := authority.Issue([]string{"keys.example.com"}, l.logger())
	if err != nil {
		t.Fatal(err)
	}
	config := certificates.TLS()
	serials := map[string]bool{}
	for day := range 3 * 365 {
		leaf := presented(t, config)
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: "keys.example.com", Roots: authority.Pool(), CurrentTime: c.at}); err != nil {
			t.Fatalf("day %d: %v", day, err)
		}
		if left := leaf.NotAfter.Sub(c.at); left < 29*24*time.Hour {
			t.Fatalf("day %d: only %v left", day, left)
		}
		serials[leaf.SerialNumber.String()] = true
		c.at = c.at.Add(24 * time.Hour)
	}
	if len(serials) < 18 || len(serials) > 19 {
		t.Errorf("%d certificates in 3 years, want one every 60 days", len(serials))
	}
}

// writePair stores a leaf of the authority as an operator would.
func writePair(t *testing.T, authority *web.Authority, name, certFile, keyFile string) {
	t.Helper()
	var l logs
	certificates, err := authority.Issue([]string{name}, l.logger())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := certificates.TLS().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if path == "" {
			continue
		}
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// An operator's new certificate is taken up without a restart, and a broken one
// never takes the server down.
func TestOperatorPairReload(t *testing.T) {
	authority, err := web.OpenAuthority(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	var l logs
	if _, err := web.OpenPair(certFile, keyFile, l.logger()); err == nil {
		t.Fatal("absent files are accepted at the start")
	}
	writePair(t, authority, "one.example.com", certFile, keyFile)
	certificates, err := web.OpenPair(certFile, keyFile, l.logger())
	if err != nil {
		t.Fatal(err)
	}
	config := certificates.TLS()
	shows := func(name string) {
		t.Helper()
		if got := presented(t, config).DNSNames[0]; got != name {
			t.Errorf("shows %s, want %s", got, name)
		}
	}
	shows("one.example.com")

	if err := os.WriteFile(certFile, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	shows("one.example.com")
	shows("one.example.com")
	if got := len(l.lines(t, "new server certificate is unusable, keeping the old one")); got != 1 {
		t.Errorf("the broken pair is logged %d times, want once", got)
	}
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	shows("one.example.com")
	writePair(t, authority, "two.example.com", certFile, "") // with the old key still there
	shows("one.example.com")
	writePair(t, authority, "three.example.com", certFile, keyFile)
	shows("three.example.com")
}
