package armclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/armclient"
)

// systemCertificate is the only one that the system vouches for in these tests.
var systemCertificate = sync.OnceValue(newCertificate)

// TestMain makes the system's certificates, which are read once a process.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "armclient-")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(dir, "system.pem")
	if err := errors.Join(os.WriteFile(file, pemOf(systemCertificate()), 0o600),
		os.Setenv("SSL_CERT_FILE", file), os.Setenv("SSL_CERT_DIR", filepath.Join(dir, "none"))); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// If this fails, a client with a CA file talks to a server that nobody vouches
// for, sends it something before it refuses, or no longer reaches a server that
// the system's certificates vouch for.
func TestServersThatAreTrusted(t *testing.T) {
	named := newCertificate()
	byFile, bySystem, byNobody := newTLSServer(t, named), newTLSServer(t, systemCertificate()), newTLSServer(t, newCertificate())
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pemOf(named), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		name, file string
		trusted    []*server
		refused    []*server
	}{
		{"file", file, []*server{byFile, bySystem, byFile, bySystem}, []*server{byNobody}},
		{"no file", "", []*server{bySystem}, []*server{byFile, byNobody}},
	} {
		for _, s := range at.trusted {
			before := len(s.all())
			c, _ := newClient(t, s.URL, func(cfg *armclient.Config) { cfg.CAFile = at.file })
			for range 2 {
				if _, err := c.Do(t.Context(), token, regenerate); err != nil {
					t.Errorf("%s: %v", at.name, err)
				}
			}
			for _, r := range s.all()[before:] {
				if r.body != `{"keyName":"Key1"}` {
					t.Errorf("%s: the body was %q", at.name, r.body)
				}
			}
			if n := len(s.all()) - before; n != 2 {
				t.Errorf("%s: two calls arrived %d times", at.name, n)
			}
		}
		for _, s := range at.refused {
			before := len(s.all())
			c, p := newClient(t, s.URL, func(cfg *armclient.Config) { cfg.CAFile = at.file })
			if _, err := c.Do(t.Context(), token, regenerate); err == nil {
				t.Errorf("%s: a server nobody vouches for was believed", at.name)
			}
			if len(s.all()) != before || len(p.list) != 0 {
				t.Errorf("%s: a server nobody vouches for was sent %d requests, with %d pauses", at.name, len(s.all())-before, len(p.list))
			}
		}
	}
}

func newTLSServer(t *testing.T, c tls.Certificate) *server {
	t.Helper()
	s := &server{answers: []http.HandlerFunc{answer(http.StatusOK, "{}")}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refusals are what is tested
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// newCertificate is one that vouches for itself at 127.0.0.1.
func newCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func pemOf(c tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
}
