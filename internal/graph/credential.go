package graph

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// earliest is how far ahead of this server's clock a client's may be when it
// says from when on a credential is to be good.
const earliest = 10 * time.Minute

// passwordCredential is a client secret on the wire (Microsoft Graph v1.0,
// "passwordCredential resource type").
type passwordCredential struct {
	KeyID               string  `json:"keyId"`
	DisplayName         *string `json:"displayName"`
	Hint                *string `json:"hint"`
	SecretText          *string `json:"secretText"`
	StartDateTime       *string `json:"startDateTime"`
	EndDateTime         *string `json:"endDateTime"`
	CustomKeyIdentifier *string `json:"customKeyIdentifier"`
}

// keyCredential is a certificate on the wire (Microsoft Graph v1.0,
// "keyCredential resource type").
type keyCredential struct {
	Type                string  `json:"type"`
	Usage               string  `json:"usage"`
	KeyID               string  `json:"keyId"`
	DisplayName         *string `json:"displayName"`
	CustomKeyIdentifier *string `json:"customKeyIdentifier"`
	Key                 *string `json:"key"` // base64 of the DER; never shown again
	StartDateTime       *string `json:"startDateTime"`
	EndDateTime         *string `json:"endDateTime"`
	ODataType           string  `json:"@odata.type,omitempty"`
}

func passwordsOf(rec directory.Record) []passwordCredential {
	list := []passwordCredential{}
	for _, c := range rec.Secrets {
		list = append(list, passwordCredential{KeyID: c.ID, DisplayName: orNull(c.Name), Hint: orNull(c.Hint), StartDateTime: timestamp(c.Created), EndDateTime: timestamp(c.NotAfter)})
	}
	return list
}

func keysOf(rec directory.Record) []keyCredential {
	list := []keyCredential{}
	for _, k := range rec.Keys {
		shown := keyCredential{Type: "AsymmetricX509Cert", Usage: "Verify", KeyID: k.ID, DisplayName: orNull(k.Name), StartDateTime: timestamp(k.Created), EndDateTime: timestamp(k.NotAfter)}
		if thumb, err := base64.RawURLEncoding.DecodeString(k.ThumbprintSHA1); err == nil && len(thumb) > 0 {
			shown.CustomKeyIdentifier = orNull(base64.StdEncoding.EncodeToString(thumb))
		}
		list = append(list, shown)
	}
	return list
}

// addPassword generates a client secret and shows it, this once.
func (s *surface) addPassword(ctx context.Context, req *request) (int, any, error) {
	var body struct {
		PasswordCredential struct {
			DisplayName   string     `json:"displayName"`
			StartDateTime *time.Time `json:"startDateTime"`
			EndDateTime   *time.Time `json:"endDateTime"`
		} `json:"passwordCredential"`
	}
	if len(bytes.TrimSpace(req.body)) > 0 {
		if err := req.decode(&body); err != nil {
			return 0, nil, err
		}
	}
	rec, err := s.applications().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	want := directory.NewSecret{Name: body.PasswordCredential.DisplayName}
	if at := body.PasswordCredential.StartDateTime; at != nil && at.Sub(s.config.Now()) > earliest {
		return 0, nil, twinkey.Errorf(twinkey.Unsupported, "A client secret is good from when it is made. Leave startDateTime out.")
	}
	if at := body.PasswordCredential.EndDateTime; at != nil {
		want.NotAfter = *at
	}
	secret, err := s.directory.AddSecret(ctx, req.who, rec.Tenant, rec.ObjectID, want)
	if err != nil {
		return 0, nil, err
	}
	text := secret.Secret.Reveal() // the one place where the surface shows a secret
	return http.StatusOK, struct {
		odata
		passwordCredential
	}{
		odata{Context: s.context("microsoft.graph.passwordCredential")},
		passwordCredential{KeyID: secret.CredentialID, DisplayName: orNull(want.Name), Hint: orNull(secret.Hint), SecretText: &text,
			StartDateTime: timestamp(secret.At), EndDateTime: timestamp(secret.NotAfter)},
	}, nil
}

// removePassword takes a client secret away, and with it what was granted for it.
func (s *surface) removePassword(ctx context.Context, req *request) (int, any, error) {
	var body struct {
		KeyID string `json:"keyId"`
	}
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	rec, err := s.applications().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	_, err = s.directory.RemoveSecret(ctx, req.who, rec.Tenant, rec.ObjectID, body.KeyID)
	if twinkey.KindOf(err) == twinkey.NotFound {
		err = twinkey.Errorf(twinkey.Invalid, "No password credential found with keyId '%s'.", twinkey.Printable(body.KeyID, 60))
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}

// newKeys reads the keys an application is to have. One without a key is one
// that it has already.
func newKeys(list *[]keyCredential) ([]directory.NewKey, error) {
	if list == nil {
		return nil, nil
	}
	keys := []directory.NewKey{}
	for _, c := range *list {
		k := directory.NewKey{ID: c.KeyID}
		if c.DisplayName != nil {
			k.Name = *c.DisplayName
		}
		if c.Key == nil {
			keys = append(keys, k)
			continue
		}
		certificate, err := readCertificate(*c.Key)
		if err != nil {
			return nil, err
		}
		if k.JWK, err = jwkOf(certificate); err != nil {
			return nil, err
		}
		k.NotAfter = certificate.NotAfter
		if c.EndDateTime != nil {
			end, err := time.Parse(time.RFC3339, *c.EndDateTime)
			if err != nil {
				return nil, twinkey.Errorf(twinkey.Invalid, "The endDateTime '%s' is not a moment such as 2031-01-31T00:00:00Z.", twinkey.Printable(*c.EndDateTime, 40))
			}
			if end.Before(k.NotAfter) {
				k.NotAfter = end
			}
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// readCertificate reads the base64 of a certificate's DER, broken into lines or
// not.
func readCertificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, twinkey.Errorf(twinkey.Invalid, "The key of a key credential must be the base64 of a certificate in DER form.")
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, twinkey.Wrap(err, twinkey.Invalid, "The key of a key credential is not an X.509 certificate.")
	}
	return certificate, nil
}

// jwkOf makes the JWK that assertions signed with the certificate's key are
// checked with: they name it by the thumbprint (RFC 7515, sections 4.1.7 and
// 4.1.8).
func jwkOf(c *x509.Certificate) (json.RawMessage, error) {
	b64 := base64.RawURLEncoding.EncodeToString
	one, two := sha1.Sum(c.Raw), sha256.Sum256(c.Raw)
	members := map[string]string{"x5t": b64(one[:]), "x5t#S256": b64(two[:])}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		members["kty"], members["n"], members["e"] = "RSA", b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil || key.Curve.Params().Name != "P-256" {
			return nil, twinkey.Errorf(twinkey.Invalid, "The certificate's key is on a curve that is not supported. Use RSA or P-256.")
		}
		members["kty"], members["crv"], members["x"], members["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	default:
		return nil, twinkey.Errorf(twinkey.Invalid, "The certificate's key is neither RSA nor ECDSA.")
	}
	return json.Marshal(members)
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
