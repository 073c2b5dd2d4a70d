package idp_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/token"
)

func (f *fixture) refreshForm(refreshToken string) url.Values {
	return url.Values{
		"grant_type": {"refresh_token"}, "client_id": {cli}, "refresh_token": {refreshToken},
		"scope": {"https://management.azure.com//.default offline_access openid profile"}, "client_info": {"1"},
	}
}

// signIn returns a refresh token.
func (f *fixture) signIn() string {
	f.t.Helper()
	a := f.post(adfsToken, f.passwordForm())
	wantToken(f.t, a)
	if a.field("refresh_token") == "" {
		f.t.Fatal("no refresh token")
	}
	return a.field("refresh_token")
}

// A user gets a token, and what MSAL needs to make an account of it.
func TestPassword(t *testing.T) {
	f := newFixture(t)
	form := f.passwordForm()
	form.Set("nonce", "n-1")
	a := f.post("/organizations/oauth2/v2.0/token", form)
	c := f.verify(wantToken(t, a))
	if c.IDType != "user" || c.UPN != "Alex@example.test" || c.Name != "Alex" || c.Scope != "user_impersonation" || c.AppID != cli ||
		c.AppAuth != "0" || c.ObjectID != f.user.ObjectID || c.Credential != f.user.CredentialID {
		t.Errorf("%+v", c)
	}
	if a.field("scope") != scopeUser {
		t.Error(a.field("scope"))
	}
	var info struct{ UID, UTID string }
	raw, err := base64.RawURLEncoding.DecodeString(a.field("client_info"))
	if err != nil || json.Unmarshal(raw, &info) != nil || info.UID != f.user.ObjectID || info.UTID != f.tenant {
		t.Errorf("client_info %s: %v", raw, err)
	}
	parsed, err := jwt.ParseSigned(a.field("id_token"), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var id map[string]any
	if err := parsed.Claims(f.PublicKeys()[0].Key, &id); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"aud": cli, "iss": publicURL + "/" + f.tenant + "/v2.0", "tid": f.tenant, "oid": f.user.ObjectID, "preferred_username": "Alex@example.test",
		"upn": "Alex@example.test", "name": "Alex", "nonce": "n-1", "ver": "2.0",
	} {
		if id[name] != want {
			t.Errorf("id token: %s is %v", name, id[name])
		}
	}
	v, err := token.NewVerifier(token.Config{PublicURL: publicURL, Audiences: []string{cli, publicURL}, Keys: f.PublicKeys, Now: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(a.field("id_token")); twinkey.KindOf(err) != twinkey.Unauthenticated {
		t.Error("an id token passes for an access token", err)
	}
}

// What was not asked for is not handed out, and nothing is stored for it.
func TestOnlyWhatWasAskedFor(t *testing.T) {
	f := newFixture(t)
	form := f.passwordForm()
	form.Set("scope", publicURL+"/user_impersonation")
	form.Del("client_info")
	a := f.post(adfsToken, form)
	wantToken(t, a)
	for _, absent := range []string{"refresh_token", "id_token", "client_info"} {
		if _, ok := a.fields[absent]; ok {
			t.Error(absent, "is there")
		}
	}
	if f.store.writes != 0 {
		t.Error("a session was stored")
	}
	form.Set("scope", publicURL+"/everything")
	wantCode(t, f.post(adfsToken, form), http.StatusBadRequest, 70011)
}

// Refusals of users do not tell who exists, and never write to the store.
func TestPasswordRefusals(t *testing.T) {
	f := newFixture(t)
	revision := f.store.revision
	var texts []string
	for _, change := range []url.Values{
		{"password": {"wrong"}}, {"username": {"nobody@example.test"}}, {"username": {f.app.AppID}, "password": {f.app.Secret.Reveal()}},
	} {
		form := f.passwordForm()
		for k, v := range change {
			form[k] = v
		}
		a := f.post(adfsToken, form)
		wantCode(t, a, http.StatusBadRequest, 50126)
		if a.field("error") != "invalid_grant" {
			t.Error(a.text)
		}
		text, _, _ := strings.Cut(a.field("error_description"), " Trace ID")
		texts = append(texts, text)
	}
	if texts[0] != texts[1] || texts[0] != texts[2] {
		t.Error(texts)
	}
	for _, name := range []string{"username", "password"} {
		form := f.passwordForm()
		form.Del(name)
		wantCode(t, f.post(adfsToken, form), http.StatusBadRequest, 900144)
	}
	if f.store.revision != revision {
		t.Error("a refusal wrote to the store")
	}
	if _, err := f.directory.Disable(t.Context(), f.who, f.tenant, f.user.ObjectID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.post(adfsToken, f.passwordForm()), http.StatusBadRequest, 50057)
}

// Guessing is slowed down, with a status that says so, until time has passed.
func TestGuessingIsLimited(t *testing.T) {
	f := newFixture(t)
	wrong := f.passwordForm()
	wrong.Set("password", "wrong")
	for n := 0; ; n++ {
		if n > 100 {
			t.Fatal("no limit")
		}
		if a := f.post(adfsToken, wrong); a.status != http.StatusBadRequest {
			wantCode(t, a, http.StatusTooManyRequests, 50053)
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			break
		}
	}
	wantCode(t, f.post(adfsToken, f.passwordForm()), http.StatusTooManyRequests, 50053)
	f.pass(10 * time.Minute)
	wantToken(t, f.post(adfsToken, f.passwordForm()))
}

// A user of another tenant signs in under an alias: the domain tells which.
func TestAliasFindsTheTenantOfAUser(t *testing.T) {
	f := newFixture(t)
	other, _, err := f.directory.CreateTenant(t.Context(), f.who, directory.NewTenant{Name: "Other", Domains: []string{"other.test"}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := f.directory.CreateUser(t.Context(), f.who, directory.NewUser{Tenant: other.ID, Name: "bo@other.test"})
	if err != nil {
		t.Fatal(err)
	}
	form := f.passwordForm()
	form.Set("username", "bo@other.test")
	form.Set("password", u.Password.Reveal())
	a := f.post("/organizations/oauth2/v2.0/token", form)
	if c := f.verify(wantToken(t, a)); c.Tenant != other.ID {
		t.Fatal(c.Tenant)
	}
	if c := f.verify(wantToken(t, f.post("/common/oauth2/v2.0/token", f.refreshForm(a.field("refresh_token")))), "https://management.azure.com"); c.Tenant != other.ID {
		t.Fatal(c.Tenant)
	}
	wantCode(t, f.post("/"+f.tenant+"/oauth2/v2.0/token", form), http.StatusBadRequest, 50126)
	wantCode(t, f.post("/"+f.tenant+"/oauth2/v2.0/token", f.refreshForm(a.field("refresh_token"))), http.StatusBadRequest, 70000)
}

// A refresh token gets a token for another audience and a successor; az takes
// the one it got at an alias to the tenant's own address.
func TestRefresh(t *testing.T) {
	f := newFixture(t)
	first := f.signIn()
	a := f.post("/"+f.tenant+"/oauth2/v2.0/token", f.refreshForm(first))
	c := f.verify(wantToken(t, a), "https://management.azure.com")
	if c.IDType != "user" || c.Credential != f.user.CredentialID || c.Name != "Alex" || a.field("id_token") == "" || a.field("client_info") == "" {
		t.Fatalf("%+v", c)
	}
	second := a.field("refresh_token")
	if second == "" || second == first {
		t.Fatal("no successor")
	}
	f.pass(24 * time.Hour)
	wantToken(t, f.post(adfsToken, f.refreshForm(second)))
}

// Without offline_access the token is not used up.
func TestRefreshWithoutSuccessor(t *testing.T) {
	f := newFixture(t)
	first := f.signIn()
	form := f.refreshForm(first)
	form.Set("scope", publicURL+"/.default")
	for range 3 {
		a := f.post(adfsToken, form)
		wantToken(t, a)
		if a.field("refresh_token") != "" {
			t.Fatal("a successor nobody asked for")
		}
		f.pass(time.Hour)
	}
	wantToken(t, f.post(adfsToken, f.refreshForm(first)))
}

// Processes that share a cache may use one refresh token at the same time, and
// whichever successor they keep works.
func TestRefreshInParallel(t *testing.T) {
	f := newFixture(t)
	first := f.signIn()
	f.store.conflicts = 1
	answers := make(chan answer, 8)
	var wg sync.WaitGroup
	for range cap(answers) {
		wg.Go(func() { answers <- f.post(adfsToken, f.refreshForm(first)) })
	}
	wg.Wait()
	close(answers)
	if f.store.conflicts != 0 {
		t.Fatal("no conflict was met")
	}
	f.pass(time.Hour)
	for a := range answers {
		wantToken(t, a)
		wantToken(t, f.post(adfsToken, f.refreshForm(a.field("refresh_token"))))
	}
}

// A refresh token used again after the grace period ends the session for
// everybody who has a token of it, and for nobody else.
func TestRefreshTokenReuse(t *testing.T) {
	f := newFixture(t)
	first, apart := f.signIn(), f.signIn()
	second := f.post(adfsToken, f.refreshForm(first)).field("refresh_token")
	f.pass(2 * time.Minute)
	wantToken(t, f.post(adfsToken, f.refreshForm(first))) // still in the grace period
	f.pass(time.Second)
	wantCode(t, f.post(adfsToken, f.refreshForm(first)), http.StatusBadRequest, 50173)
	wantCode(t, f.post(adfsToken, f.refreshForm(second)), http.StatusBadRequest, 70000)
	wantToken(t, f.post(adfsToken, f.refreshForm(apart)))
}

// A session ends when the user is disabled, deleted or gets another password,
// and in any case when its time is over.
func TestSessionEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(f *fixture) error
		code int
	}{
		"disabled": {func(f *fixture) error {
			_, err := f.directory.Disable(t.Context(), f.who, f.tenant, f.user.ObjectID)
			return err
		}, 50057},
		"password": {func(f *fixture) error {
			_, err := f.directory.SetPassword(t.Context(), f.who, f.tenant, f.user.ObjectID, f.user.Password)
			return err
		}, 50173},
		"deleted": {func(f *fixture) error {
			_, err := f.directory.Delete(t.Context(), f.who, f.tenant, f.user.ObjectID)
			return err
		}, 50173},
		"time": {func(f *fixture) error { f.pass(30 * 24 * time.Hour); return nil }, 700082},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			refresh := f.signIn()
			for range 3 { // however often it is renewed
				f.pass(time.Hour)
				refresh = f.post(adfsToken, f.refreshForm(refresh)).field("refresh_token")
			}
			if err := c.end(f); err != nil {
				t.Fatal(err)
			}
			a := f.post(adfsToken, f.refreshForm(refresh))
			wantCode(t, a, http.StatusBadRequest, c.code)
			if a.field("error") != "invalid_grant" {
				t.Error(a.text)
			}
		})
	}
}

// A refresh token works for its client alone, and nothing else passes for one.
func TestRefreshRefusals(t *testing.T) {
	f := newFixture(t)
	refresh := f.signIn()
	form := f.refreshForm(refresh)
	form.Set("client_id", "1950a258-227b-4e31-a9cf-717495945fc2")
	wantCode(t, f.post(adfsToken, form), http.StatusBadRequest, 70000)
	form.Set("client_id", f.app.AppID)
	form.Set("client_secret", f.app.Secret.Reveal())
	wantCode(t, f.post(adfsToken, form), http.StatusBadRequest, 70001)
	raw, err := base64.RawURLEncoding.DecodeString(refresh)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte{}, raw...)
	flipped[len(raw)-1] ^= 1
	elsewhere := append([]byte{}, raw...)
	elsewhere[0] ^= 1
	for name, text := range map[string]string{
		"one bit": base64.RawURLEncoding.EncodeToString(flipped), "other tenant": base64.RawURLEncoding.EncodeToString(elsewhere),
		"short": refresh[:40], "garbage": "%%%", "longer": refresh + "AAAA", "line break": refresh[:10] + "\n" + refresh[10:],
	} {
		if a := f.post(adfsToken, f.refreshForm(text)); a.status != http.StatusBadRequest || a.code() != 70000 {
			t.Errorf("%s: %s", name, a.text)
		}
	}
	wantCode(t, f.post(adfsToken, f.refreshForm("")), http.StatusBadRequest, 900144)
	wantToken(t, f.post(adfsToken, f.refreshForm(refresh)))
}

// However often a user signs in or refreshes, one document of bounded size is
// kept, and the sessions begun last are in it.
func TestSessionsAreBounded(t *testing.T) {
	f := newFixture(t)
	oldest := f.signIn()
	var newest string
	for range 40 {
		newest = f.signIn()
	}
	for range 100 {
		f.pass(time.Minute)
		newest = f.post(adfsToken, f.refreshForm(newest)).field("refresh_token")
	}
	s, _, err := f.store.Sessions(t.Context(), f.tenant, f.user.ObjectID)
	if err != nil || len(s.Sessions) != 32 || len(s.Sessions[31].Tokens) != 32 {
		t.Fatal(len(s.Sessions), err)
	}
	wantCode(t, f.post(adfsToken, f.refreshForm(oldest)), http.StatusBadRequest, 70000)
	wantToken(t, f.post(adfsToken, f.refreshForm(newest)))
}
