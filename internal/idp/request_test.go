package idp_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/web"
)

// zeros is an endless body that counts what was read of it.
type zeros struct{ read int }

func (z *zeros) Read(p []byte) (int, error) { z.read += len(p); return len(p), nil }

// Garbage gets a clear answer in Entra's form.
func TestGarbage(t *testing.T) {
	f := newFixture(t)
	form := f.secretForm().Encode()
	send := func(contentType, body string) answer {
		r := httptest.NewRequest(http.MethodPost, adfsToken, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		return f.do(r)
	}
	const urlencoded = "application/x-www-form-urlencoded"
	wantToken(t, send(urlencoded+"; charset=utf-8", form))
	for name, c := range map[string]struct {
		contentType, body string
		status, code      int
	}{
		"no type":        {"", form, 400, 9002313},
		"JSON":           {"application/json", `{"grant_type":"password"}`, 400, 9002313},
		"multipart":      {"multipart/form-data; boundary=x", form, 400, 9002313},
		"empty":          {urlencoded, "", 400, 900144},
		"bad escape":     {urlencoded, form + "&x=%zz", 400, 9002313},
		"semicolon":      {urlencoded, form + ";x=1", 400, 9002313},
		"duplicate":      {urlencoded, form + "&scope=" + url.QueryEscape(publicURL+"/.default"), 400, 9000411},
		"duplicate, own": {urlencoded, form + "&x=1&x=1", 400, 9000411},
		"not UTF-8":      {urlencoded, form + "&username=%ff", 400, 9002313},
		"long nonce":     {urlencoded, form + "&nonce=" + strings.Repeat("n", 300), 400, 9002313},
		"parameters":     {urlencoded, form + strings.Repeat("&", 3) + manyParameters(), 400, 9002313},
		"10 MB":          {urlencoded, form + "&x=" + strings.Repeat("x", 10<<20), 413, 9002313},
	} {
		a := send(c.contentType, c.body)
		if a.status != c.status || a.code() != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	endless := &zeros{}
	r := httptest.NewRequest(http.MethodPost, adfsToken, io.NopCloser(endless))
	r.ContentLength = -1
	r.Header.Set("Content-Type", urlencoded)
	wantCode(t, f.do(r), http.StatusRequestEntityTooLarge, 9002313)
	if endless.read > 1<<20 {
		t.Errorf("%d bytes were read", endless.read)
	}
}

func manyParameters() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "&p%d=1", i)
	}
	return b.String()
}

// What is in the query is not read: a secret there would be in every log.
func TestQueryIsNotRead(t *testing.T) {
	f := newFixture(t)
	r := httptest.NewRequest(http.MethodPost, adfsToken+"?"+f.secretForm().Encode(), strings.NewReader(""))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	wantCode(t, f.do(r), http.StatusBadRequest, 900144)
}

// No password, secret, assertion or refresh token, and no token, is in a log, a
// refusal or the store, in any usual spelling.
func TestSecretsStayInside(t *testing.T) {
	f := newFixture(t)
	var log bytes.Buffer
	server := web.NewServer(web.Config{Name: "management", Handler: f.Handler(), Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	var refusals strings.Builder
	send := func(form url.Values) string {
		w := httptest.NewRecorder()
		r := newPost(adfsToken, form)
		server.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			refusals.WriteString(w.Body.String())
		}
		return w.Body.String()
	}
	s, _ := rsaSigner(f)
	assertion := s.sign(s.claims("1"))
	refresh := f.signIn()
	secrets := []string{f.app.Secret.Reveal(), f.user.Password.Reveal(), assertion, refresh}
	issued := f.post(adfsToken, f.passwordForm())
	secrets = append(secrets, issued.field("access_token"), issued.field("refresh_token"))
	for _, secret := range secrets {
		for _, name := range []string{"client_secret", "client_assertion", "password", "refresh_token"} {
			for _, grant := range []string{"client_credentials", "password", "refresh_token"} {
				send(url.Values{
					"grant_type": {grant}, "client_id": {f.app.AppID}, "scope": {publicURL + "/.default"}, "username": {"alex@example.test"}, name: {secret},
				})
				send(url.Values{
					"grant_type": {grant}, "client_id": {cli}, "scope": {scopeUser}, "username": {"alex@example.test"}, name: {secret},
				})
			}
		}
	}
	f.store.broken = fmt.Errorf("disk on fire") // an error that is logged
	send(f.passwordForm())
	f.store.broken = nil
	if !strings.Contains(log.String(), "disk on fire") || !strings.Contains(log.String(), "AADSTS7000215") || refusals.Len() == 0 {
		t.Fatal("the logs and refusals looked at are not the ones meant")
	}
	for place, text := range map[string]string{"log": log.String(), "refusal": refusals.String(), "store": f.store.text()} {
		for i, secret := range secrets {
			if holds(text, secret) {
				t.Errorf("secret %d is in a %s", i, place)
			}
			for _, planted := range spellings(secret) { // the check finds what is there
				if !holds(text+planted, secret) {
					t.Error("a planted secret was not found")
				}
			}
		}
	}
}

func holds(text, secret string) bool {
	for _, s := range spellings(secret) {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

func spellings(secret string) []string {
	return []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)), url.QueryEscape(secret)}
}

// FuzzTokenRequest: whatever is sent, the answer is a refusal in Entra's form or
// a token that was due; never a 5xx, never a panic, never the secret.
func FuzzTokenRequest(f *testing.F) {
	fix := newFixture(f)
	secret := fix.app.Secret.Reveal()
	f.Add(adfsToken, "application/x-www-form-urlencoded", fix.passwordForm().Encode(), "")
	f.Add("/common/oauth2/token", "application/x-www-form-urlencoded", fix.secretForm().Encode(), "")
	f.Add("/"+fix.tenant+"/oauth2/v2.0/token", "application/x-www-form-urlencoded", "grant_type=client_credentials&client_assertion=a.b.c&client_assertion_type="+assertionType, "Basic YTpi")
	f.Add("//common//discovery/instance", "", "", "")
	f.Fuzz(func(t *testing.T, path, contentType, body, authorization string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body+"&x="+secret))
		r.URL.Path = path
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		fix.Handler().ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w.Code != http.StatusOK && (!strings.HasPrefix(w.Body.String(), `{"error":"`) || !strings.Contains(w.Body.String(), "AADSTS")) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), secret) {
			t.Error("the secret is in the answer")
		}
	})
}
