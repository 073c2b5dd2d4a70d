package directory_test

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/audit"
	"github.com/twinkey/twinkey/internal/directory"
)

// mapStore keeps documents in maps, for tests of logic that does not depend on
// the database. Documents go through JSON, as they do in a database.
type mapStore struct {
	mu        sync.Mutex
	revision  twinkey.Revision
	tenants   []directory.Tenant
	documents map[string]document
	names     map[string]string // tenant/name -> oid
	lookups   int               // reads by name
	onLookup  func()
	conflicts int // so many writes of principals fail before one is tried
	broken    error
	activity  []audit.Entry
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
	if slices.ContainsFunc(s.tenants, func(o directory.Tenant) bool { return o.ID == t.ID }) {
		return 0, directory.ErrConflict
	}
	s.tenants = append(s.tenants, t)
	s.revision++
	return s.revision, nil
}

func (s *mapStore) Principal(_ context.Context, tenant, oid string) (directory.Record, twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(tenant, oid)
}

func (s *mapStore) PrincipalByName(_ context.Context, tenant, name string) (directory.Record, twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	if s.onLookup != nil {
		s.onLookup()
	}
	return s.read(tenant, s.names[tenant+"/"+name])
}

func (s *mapStore) read(tenant, oid string) (directory.Record, twinkey.Revision, error) {
	var rec directory.Record
	if s.broken != nil {
		return rec, 0, s.broken
	}
	d, ok := s.documents[tenant+"/"+oid]
	if !ok {
		return rec, 0, directory.ErrNotFound
	}
	return rec, d.revision, json.Unmarshal(d.text, &rec)
}

func (s *mapStore) PutPrincipal(_ context.Context, w directory.Write) (twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := w.Record
	for _, n := range w.Names {
		if holder, ok := s.names[rec.Tenant+"/"+n]; ok && holder != rec.ObjectID {
			return 0, directory.ErrNameTaken
		}
	}
	if s.conflicts > 0 {
		s.conflicts--
		return 0, directory.ErrConflict
	}
	if s.documents[rec.Tenant+"/"+rec.ObjectID].revision != w.Revision {
		return 0, directory.ErrConflict
	}
	for oid, revision := range w.Require {
		if s.documents[rec.Tenant+"/"+oid].revision != revision {
			return 0, directory.ErrConflict
		}
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return 0, err
	}
	for _, n := range w.Names {
		s.names[rec.Tenant+"/"+n] = rec.ObjectID
	}
	s.revision++
	s.documents[rec.Tenant+"/"+rec.ObjectID] = document{text, s.revision}
	s.activity = append(s.activity, w.Activity...)
	return s.revision, nil
}

func (s *mapStore) DeletePrincipal(_ context.Context, w directory.Write) (twinkey.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tenant, oid := w.Record.Tenant, w.Record.ObjectID
	if s.documents[tenant+"/"+oid].revision != w.Revision {
		return 0, directory.ErrConflict
	}
	delete(s.documents, tenant+"/"+oid)
	s.activity = append(s.activity, w.Activity...)
	for _, n := range w.Names {
		delete(s.names, tenant+"/"+n)
	}
	s.revision++
	return s.revision, nil
}

func (s *mapStore) ListPrincipals(_ context.Context, tenant, after string, limit int) ([]directory.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []directory.Record
	for _, key := range slices.Sorted(maps.Keys(s.documents)) {
		if strings.HasPrefix(key, tenant+"/") && key > tenant+"/"+after && len(out) < limit {
			var rec directory.Record
			if err := json.Unmarshal(s.documents[key].text, &rec); err != nil {
				return nil, err
			}
			out = append(out, rec)
		}
	}
	slices.SortFunc(out, func(a, b directory.Record) int { return cmp.Compare(a.ObjectID, b.ObjectID) })
	return out, nil
}

// text is everything that is stored.
func (s *mapStore) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all strings.Builder
	for _, d := range s.documents {
		all.Write(d.text)
	}
	return all.String()
}

// fixture is a directory with one tenant and a clock that is moved by hand.
type fixture struct {
	*directory.Service
	t      *testing.T
	store  *mapStore
	tenant string
	now    time.Time
	who    twinkey.Caller
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{
		t: t, store: newMapStore(), now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
		who: twinkey.Caller{Principal: twinkey.Principal{Name: "admin@example.test"}, RequestID: "r1"},
	}
	f.Service = directory.New(directory.Config{
		Store: f.store, Now: func() time.Time { return f.now },
		Cost:            directory.Cost{Memory: 64, Passes: 1, Lanes: 1},
		UserFailures:    directory.Limit{Failures: 3, Window: 3 * time.Minute},
		AddressFailures: directory.Limit{Failures: 6, Window: 6 * time.Minute},
	})
	tenant, _, err := f.CreateTenant(t.Context(), f.who, directory.NewTenant{Name: "Example", Domains: []string{"Example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	f.tenant = tenant.ID
	return f
}

func (f *fixture) user(name string) directory.CreatedUser {
	f.t.Helper()
	u, err := f.CreateUser(f.t.Context(), f.who, directory.NewUser{Tenant: f.tenant, Name: name})
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

func (f *fixture) application(name string) directory.CreatedServicePrincipal {
	f.t.Helper()
	a, err := f.CreateServicePrincipal(f.t.Context(), f.who, directory.NewServicePrincipal{Tenant: f.tenant, Name: name})
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

func (f *fixture) signIn(name string, password twinkey.Secret, from string) (directory.Identity, error) {
	return f.ByPassword(f.t.Context(), f.tenant, name, password, netip.MustParseAddr(from))
}

func wantKind(t *testing.T, err error, want twinkey.Kind) {
	t.Helper()
	if err == nil || twinkey.KindOf(err) != want {
		t.Fatalf("got kind %d (%v), want %d", twinkey.KindOf(err), err, want)
	}
}
