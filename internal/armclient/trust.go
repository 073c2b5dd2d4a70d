package armclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	twinkey "github.com/twinkey/twinkey"
)

// trust connects to servers that the CA file or the system's certificates vouch
// for. It asks the file first: reading more than a hundred certificates of the
// system takes longer than a whole call to a server that the file names.
type trust struct {
	named     *http.Transport                 // trusts the file alone
	all       func() (*http.Transport, error) // trusts the system's certificates too; made once
	useSystem atomic.Bool                     // the file did not do
}

// newTrust reads the CA file, if one is given.
func newTrust(caFile string) (http.RoundTripper, error) {
	if caFile == "" {
		return newTransport(nil), nil
	}
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, twinkey.Wrap(err, twinkey.Invalid, "reading the CA file")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, twinkey.Errorf(twinkey.Invalid, "the CA file %s holds no PEM certificate", caFile)
	}
	return &trust{
		named: newTransport(roots),
		all: sync.OnceValues(func() (*http.Transport, error) {
			roots, err := x509.SystemCertPool()
			if err != nil {
				return nil, fmt.Errorf("reading the system's CA certificates: %w", err)
			}
			roots.AppendCertsFromPEM(text)
			return newTransport(roots), nil
		}),
	}, nil
}

// RoundTrip implements http.RoundTripper. A server whose certificate is refused
// has been sent nothing yet, so any request may be sent again.
func (t *trust) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.useSystem.Load() {
		resp, err := t.named.RoundTrip(req)
		if _, refused := errors.AsType[*tls.CertificateVerificationError](err); !refused {
			return resp, err
		}
		if req, err = unsent(req); err != nil {
			return nil, err
		}
		t.useSystem.Store(true)
	}
	all, err := t.all()
	if err != nil {
		return nil, err
	}
	return all.RoundTrip(req)
}

// unsent is req with its body from the beginning.
func unsent(req *http.Request) (*http.Request, error) {
	again := req.Clone(req.Context())
	if req.GetBody == nil {
		return again, nil // exchange gives a body that way or none
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("repeating the request: %w", err)
	}
	again.Body = body
	return again, nil
}
