package idp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/idp"
	"github.com/twinkey/twinkey/internal/sealing"
	"github.com/twinkey/twinkey/internal/token"
)

const (
	publicURL = "https://id.example.test:8443"
	cli       = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	scopeUser = publicURL + "//.default offline_access openid profile"
	adfsToken = "/adfs/oauth2/token"
)

// mapStore keeps the documents of directory and idp in maps, for tests of logic
// that does not depend on the database. Documents go through JSON.
type mapStore struct {
	mu        sync.Mutex
	revision  twinkey.Revision
	tenants   []directory.Tenant
	documents map[string]document
	names     map[string]string
	sealed    []idp.SealedKey
	conflicts int // so many writes of sessions fail before one is tried
	writes    int // of sessions
	broken    error
}

type document struct {
	text     []byte
	revision twinkey.Revision
}

func newMapStore() *mapStore {
	return &mapStore{documents: map[string]document{}, names: map[string]string{}}
}

func (s *mapStore) Tenants(context.Context) ([]directory.Tenant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tenants), s.broken
}

func (s *mapStore) PutTenant(_ context.Context, t directory.Tenant, _ twinkey.Revision) (twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tenants = append(s.tenants, t)
	s.revision++
	return s.revision, nil
}

func (s *mapStore) Principal(_ context.Context, tenant, oid string) (directory.Record, twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rec directory.Record
	revision, err := s.get("p/"+tenant+"/"+oid, &rec)
	if err == nil && revision == 0 {
		err = directory.ErrNotFound
	}
	return rec, revision, err
}

func (s *mapStore) PrincipalByName(ctx context.Context, tenant, name string) (directory.Record, twinkey.Revision, error) {
	s.mu.Lock()
	oid := s.names[tenant+"/"+name]
	s.mu.Unlock()
	return s.Principal(ctx, tenant, oid)
}

func (s *mapStore) PutPrincipal(_ context.Context, w directory.Write) (twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := w.Record
	for _, n := range w.Names {
		s.names[rec.Tenant+"/"+n] = rec.ObjectID
	}
	ok, err := s.put("p/"+rec.Tenant+"/"+rec.ObjectID, rec, w.Revision)
	if err == nil && !ok {
		err = directory.ErrConflict
	}
	return s.revision, err
}

func (s *mapStore) DeletePrincipal(_ context.Context, w directory.Write) (twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.documents, "p/"+w.Record.Tenant+"/"+w.Record.ObjectID)
	for _, n := range w.Names {
		delete(s.names, w.Record.Tenant+"/"+n)
	}
	s.revision++
	return s.revision, nil
}

func (s *mapStore) ListPrincipals(context.Context, string, string, int) ([]directory.Record, error) {
	return nil, nil
}

func (s *mapStore) SigningKeys(context.Context) ([]idp.SealedKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sealed), s.broken
}

func (s *mapStore) PutSigningKey(_ context.Context, key idp.SealedKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = append(s.sealed, key)
	return nil
}

func (s *mapStore) Sessions(_ context.Context, tenant, oid string) (idp.Sessions, twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out idp.Sessions
	revision, err := s.get("s/"+tenant+"/"+oid, &out)
	return out, revision, err
}

func (s *mapStore) PutSessions(_ context.Context, sessions idp.Sessions, ifRevision twinkey.Revision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.conflicts > 0 {
		s.conflicts--
		return idp.ErrConflict
	}
	ok, err := s.put("s/"+sessions.Tenant+"/"+sessions.ObjectID, sessions, ifRevision)
	if err == nil && !ok {
		err = idp.ErrConflict
	}
	return err
}

func (s *mapStore) get(key string, v any) (twinkey.Revision, error) {
	d, ok := s.documents[key]
	if s.broken != nil || !ok {
		return 0, s.broken
	}
	return d.revision, json.Unmarshal(d.text, v)
}

func (s *mapStore) put(key string, v any, ifRevision twinkey.Revision) (bool, error) {
	if s.documents[key].revision != ifRevision {
		return false, s.broken
	}
	text, err := json.Marshal(v)
	s.revision++
	s.documents[key] = document{text, s.revision}
	return true, err
}

// text is everything that is stored.
func (s *mapStore) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all strings.Builder
	for _, d := range s.documents {
		all.Write(d.text)
	}
	fmt.Fprintf(&all, "%s", s.sealed)
	return all.String()
}

// vault is a ring and one signing key sealed with it, made once: a key takes a
// while.
type vault struct {
	ring   *sealing.Ring
	sealed []idp.SealedKey
}

func newRing(dir string) (*sealing.Ring, error) {
	outer, err := sealing.CreateOuterKey(filepath.Join(dir, "outer.key"))
	if err != nil {
		return nil, err
	}
	wrapped, err := outer.NewDataKey(1)
	if err != nil {
		return nil, err
	}
	return outer.Open(map[uint32][]byte{1: wrapped})
}

var sharedVault = sync.OnceValue(func() vault {
	dir, err := os.MkdirTemp("", "idp")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ring, err := newRing(dir)
	if err != nil {
		panic(err)
	}
	store := newMapStore()
	p, err := idp.New(idp.Config{PublicURL: publicURL, Directory: directory.New(directory.Config{Store: store}), Store: store, Sealer: ring, Now: clockStart})
	if err != nil {
		panic(err)
	}
	if err := p.Prepare(context.Background()); err != nil {
		panic(err)
	}
	return vault{ring: ring, sealed: store.sealed}
})

func clockStart() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// fixture is a provider that is ready, with one tenant, one user, one
// application, and a clock that is moved by hand.
type fixture struct {
	*idp.Provider
	t         testing.TB
	directory *directory.Service
	store     *mapStore
	tenant    string
	user      directory.CreatedUser
	app       directory.CreatedServicePrincipal
	who       twinkey.Caller

	mu  sync.Mutex
	now time.Time
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{t: t, store: newMapStore(), now: clockStart()}
	v := sharedVault()
	f.store.sealed = slices.Clone(v.sealed)
	f.directory = directory.New(directory.Config{Store: f.store, Now: f.clock, Cost: directory.Cost{Memory: 64, Passes: 1, Lanes: 1}})
	tenant, _, err := f.directory.CreateTenant(t.Context(), f.who, directory.NewTenant{Name: "Example", Domains: []string{"example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	f.tenant = tenant.ID
	if f.user, err = f.directory.CreateUser(t.Context(), f.who, directory.NewUser{Tenant: f.tenant, Name: "Alex@example.test", DisplayName: "Alex"}); err != nil {
		t.Fatal(err)
	}
	if f.app, err = f.directory.CreateServicePrincipal(t.Context(), f.who, directory.NewServicePrincipal{Tenant: f.tenant, Name: "job"}); err != nil {
		t.Fatal(err)
	}
	f.Provider, err = idp.New(idp.Config{PublicURL: publicURL + "/", Directory: f.directory, Store: f.store, Sealer: v.ring, Now: f.clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	fields map[string]any
}

func (a answer) field(name string) string {
	s, _ := a.fields[name].(string)
	return s
}

// code is the AADSTS number of a refusal, 0 for a success.
func (a answer) code() int {
	codes, _ := a.fields["error_codes"].([]any)
	if len(codes) != 1 {
		return 0
	}
	n, _ := codes[0].(float64)
	return int(n)
}

func (f *fixture) do(r *http.Request) answer {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a.fields); err != nil {
		f.t.Fatalf("%s %s: %d, not JSON: %v", r.Method, r.URL.Path, w.Code, err)
	}
	return a
}

func (f *fixture) get(target string) answer {
	f.t.Helper()
	return f.do(httptest.NewRequest(http.MethodGet, target, nil))
}

func newPost(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Host = "attacker.test"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (f *fixture) post(path string, form url.Values) answer {
	f.t.Helper()
	return f.do(newPost(path, form))
}

func (f *fixture) secretForm() url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {f.app.AppID},
		"client_secret": {f.app.Secret.Reveal()}, "scope": {publicURL + "//.default"},
	}
}

func (f *fixture) passwordForm() url.Values {
	return url.Values{
		"grant_type": {"password"}, "client_id": {cli}, "username": {"alex@example.test"},
		"password": {f.user.Password.Reveal()}, "scope": {scopeUser}, "client_info": {"1"},
		"claims": {`{"access_token":{"xms_cc":{"values":["CP1"]}}}`},
	}
}

// verify checks an access token the way a surface does.
func (f *fixture) verify(text string, audiences ...string) token.Claims {
	f.t.Helper()
	if len(audiences) == 0 {
		audiences = []string{publicURL}
	}
	v, err := token.NewVerifier(token.Config{PublicURL: publicURL, Audiences: audiences, Keys: f.PublicKeys, Now: f.clock})
	if err != nil {
		f.t.Fatal(err)
	}
	claims, err := v.Verify(text)
	if err != nil {
		f.t.Fatal(err)
	}
	return claims
}

func wantCode(t testing.TB, a answer, status, code int) {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Fatalf("got %d AADSTS%d, want %d AADSTS%d: %s", a.status, a.code(), status, code, a.field("error_description"))
	}
}

func wantToken(t testing.TB, a answer) string {
	t.Helper()
	if a.status != http.StatusOK || a.field("token_type") != "Bearer" || a.field("access_token") == "" {
		t.Fatalf("got %d %s", a.status, a.field("error_description"))
	}
	return a.field("access_token")
}
