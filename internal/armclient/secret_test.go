package armclient_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
)

func randomSecret() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return "+/&" + hex.EncodeToString(b)
}

// leaks looks for a secret as it is and URL-encoded.
func leaks(text, secret string) bool {
	return strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) ||
		strings.Contains(text, url.PathEscape(secret)) || strings.Contains(text, secret[3:])
}

// If this fails, a password or a token ends up on a screen or in a log: a server
// repeats whatever it was sent, and the client shows it.
func TestSecretsAreNeverInErrors(t *testing.T) {
	secret := randomSecret()
	if planted := "x" + url.QueryEscape(secret); !leaks(planted, secret) || leaks("x", secret) {
		t.Fatal("the search does not find what it looks for")
	}
	// echo repeats the request in every place a client might show.
	echo := func(status int, format string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			form, _ := url.ParseQuery(string(body))
			var document struct{ Password string }
			_ = json.Unmarshal(body, &document)
			said := strings.Join([]string{bearer, url.QueryEscape(bearer), document.Password, url.PathEscape(document.Password), form.Get("password"), form.Get("client_secret"), form.Get("refresh_token"), form.Get("client_assertion"), url.QueryEscape(form.Get("password"))}, " ")
			w.WriteHeader(status)
			fmt.Fprintf(w, format, said, said)
		}
	}
	for _, status := range []int{302, 400, 401, 404, 200} {
		for _, format := range []string{`{"error":{"code":"c %s","message":"m %s"}}`, `{"error":"e %s","error_description":"d %s"}`, `%s %s`, `{"value":"%s","access_token":"%s"`} {
			s := httptest.NewServer(echo(status, format))
			var traced []string
			c, _ := newClient(t, s.URL, func(cfg *armclient.Config) {
				cfg.Trace = func(x armclient.Exchange) { traced = append(traced, fmt.Sprintf("%+v", x)) }
			})
			var errs []error
			_, err := c.Do(t.Context(), twinkey.NewSecret(secret), get)
			errs = append(errs, err)
			_, err = c.List(t.Context(), twinkey.NewSecret(secret), get)
			errs = append(errs, err)
			_, err = c.Do(t.Context(), token, armclient.Request{
				Method: http.MethodPost, Path: []string{"v1.0", "users"}, Hidden: []twinkey.Secret{twinkey.NewSecret(secret)}, Body: map[string]any{"password": secret},
			})
			errs = append(errs, err)
			for _, g := range []armclient.Grant{
				armclient.PasswordGrant("u", twinkey.NewSecret(secret)), armclient.SecretGrant("u", twinkey.NewSecret(secret)), armclient.RefreshGrant(twinkey.NewSecret(secret)),
			} {
				_, err := c.Token(t.Context(), "", g)
				if err == nil {
					t.Fatal("a token came of nothing")
				}
				errs = append(errs, err)
			}
			for _, err := range errs {
				if text := fmt.Sprintf("%v %+v", err, err); leaks(text, secret) {
					t.Errorf("%d %s: %s", status, format, text)
				}
			}
			if text := strings.Join(traced, "\n"); len(traced) == 0 || leaks(text, secret) {
				t.Errorf("%d %s: trace %s", status, format, text)
			}
			s.Close()
		}
	}
}

// If this fails, a token travels where anybody can read it, or to a host that a
// trick in the URL hides.
func TestEndpointsThatAreRefused(t *testing.T) {
	secret := randomSecret()[3:]
	for _, endpoint := range []string{
		"", "localhost:8443", "/path", "http://example.test", "http://10.0.0.1:80", "http://127.0.0.1.example.test", "ftp://localhost",
		"https://user:" + secret + "@localhost", "https://user:" + secret + "@[bad", "https://localhost?x=" + secret, "https://localhost/#" + secret,
	} {
		_, err := armclient.New(armclient.Config{Endpoint: endpoint})
		if twinkey.KindOf(err) != twinkey.Invalid {
			t.Errorf("%s: got %v", endpoint, err)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the secret: %v", endpoint, err)
		}
		if endpoint != "" {
			if _, err := armclient.New(armclient.Config{Endpoint: "https://localhost", Authority: endpoint}); twinkey.KindOf(err) != twinkey.Invalid {
				t.Errorf("authority %s: got %v", endpoint, err)
			}
		}
	}
	for _, endpoint := range []string{"https://example.test", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080/", "HTTPS://Example.test/arm/"} {
		if _, err := armclient.New(armclient.Config{Endpoint: endpoint}); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

// If this fails, a server is trusted without its CA, or not trusted with it.
func TestCAFile(t *testing.T) {
	s := httptest.NewTLSServer(answer(200, `{}`))
	s.Config.ErrorLog = nil
	defer s.Close()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	with, _ := newClient(t, s.URL, func(cfg *armclient.Config) { cfg.CAFile = ca })
	if _, err := with.Do(t.Context(), token, get); err != nil {
		t.Error(err)
	}
	without, p := newClient(t, s.URL, nil)
	_, err := without.Do(t.Context(), token, get)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok || len(p.list) > 0 {
		t.Errorf("waited %v, %v", p.list, err)
	}
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(dir, "absent.pem")} {
		if _, err := armclient.New(armclient.Config{Endpoint: s.URL, CAFile: file}); twinkey.KindOf(err) != twinkey.Invalid {
			t.Errorf("%s: got %v", file, err)
		}
	}
}
