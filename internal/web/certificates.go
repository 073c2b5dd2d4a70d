package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Certificates gives the server its certificate, a current one at every
// handshake: issued by a local Authority, or read from an operator's files.
type Certificates struct {
	log     *slog.Logger
	current atomic.Pointer[held]
	mu      sync.Mutex // one replacement at a time
	tried   string     // the stamp of the pair that was read last, good or not
	stamp   func() string
	replace func() (*tls.Certificate, error)
}

// held is a certificate and the stamp of what it was made from.
type held struct {
	cert  *tls.Certificate
	stamp string
}

// Issue keeps a certificate of the authority for the public names, localhost
// and the loopback addresses. It lives 90 days and is replaced when 30 are left.
// Names are host names in ASCII or IP addresses, without ports.
func (a *Authority) Issue(names []string, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{log: log}
	c.replace = func() (*tls.Certificate, error) { return a.sign(names) }
	c.stamp = func() string {
		if h := c.current.Load(); h != nil {
			if leaf, now := h.cert.Leaf, a.now(); now.After(leaf.NotBefore) && leaf.NotAfter.Sub(now) > leafLife/3 {
				return h.stamp
			}
		}
		return a.now().UTC().Format(time.DateOnly) // one attempt a day
	}
	return c, c.start()
}

// OpenPair serves an operator's certificate chain and key, both in PEM, and
// takes up new ones when the files change. A pair that does not fit together is
// logged, and the one before stays.
func OpenPair(certFile, keyFile string, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{log: log}
	c.replace = func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		return &pair, err
	}
	c.stamp = func() string { return stampOf(certFile) + " " + stampOf(keyFile) }
	return c, c.start()
}

// TLS is the configuration for a listener: TLS 1.2 or later, HTTP/2 and HTTP/1.1.
func (c *Certificates) TLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.certificate(), nil
		},
	}
}

// start makes the first certificate; without one there is nothing to serve.
func (c *Certificates) start() error {
	stamp := c.stamp()
	cert, err := c.replace()
	if err != nil {
		return fmt.Errorf("loading the server certificate: %w", err)
	}
	c.tried = stamp
	c.current.Store(&held{cert: cert, stamp: stamp})
	return nil
}

// certificate returns the current certificate, replaced first if it is due.
func (c *Certificates) certificate() *tls.Certificate {
	h := c.current.Load()
	if c.stamp() == h.stamp {
		return h.cert
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp := c.stamp()
	if h = c.current.Load(); stamp == h.stamp || stamp == c.tried {
		return h.cert
	}
	c.tried = stamp
	cert, err := c.replace()
	if err != nil {
		c.log.Error("new server certificate is unusable, keeping the old one", "error", err)
		return h.cert
	}
	c.log.Info("server certificate replaced", "until", cert.Leaf.NotAfter)
	c.current.Store(&held{cert: cert, stamp: stamp})
	return cert
}

// stampOf changes when a file does.
func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "absent"
	}
	return fmt.Sprintf("%d/%d", info.ModTime().UnixNano(), info.Size())
}

// sign issues one leaf certificate with a key of its own.
func (a *Authority) sign(names []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{Organization: []string{"Twinkey"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotAfter.After(a.cert.NotAfter) {
		template.NotAfter = a.cert.NotAfter
	}
	seen := map[string]bool{}
	for _, name := range append(append([]string{}, names...), "localhost", "127.0.0.1", "::1") {
		name = strings.ToLower(strings.Trim(name, "[]"))
		if name == "" || seen[name] {
			continue
		}
		seen[name] = true
		if ip, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, ip.AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
