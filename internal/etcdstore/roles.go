package etcdstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
)

// readsAtOnce is how many keys one transaction reads: etcd's limit is 128.
const readsAtOnce = 100

// Grants implements accounts.Store: all scopes are read in one transaction, and
// custom roles at the revision it had. So a role is never combined with an
// assignment that was there at another time.
func (s *Store) Grants(ctx context.Context, scope twinkey.ResourceID) (accounts.Grants, error) {
	var reads []clientv3.Op
	for {
		reads = append(reads, clientv3.OpGet(scopeRoles(scope), clientv3.WithPrefix()))
		if scope == (twinkey.ResourceID{}) {
			break
		}
		scope = scope.Parent()
	}
	got, err := s.readAll(ctx, reads)
	if err != nil {
		return accounts.Grants{}, err
	}
	held, err := decodeResponses(got.Responses, decodeAssignment)
	if err != nil {
		return accounts.Grants{}, err
	}
	custom, err := s.rolesAt(ctx, held, got.Header.Revision)
	return accounts.Grants{Assignments: held, Custom: custom}, err
}

// rolesAt reads the custom roles that assignments name, as they were at a
// revision.
func (s *Store) rolesAt(ctx context.Context, held []access.Assignment, revision int64) ([]access.Role, error) {
	var reads []clientv3.Op
	seen := map[string]bool{}
	for _, a := range held {
		key := roleKey(a.RoleID)
		if _, ok := access.BuiltInByID(a.RoleID); ok || seen[key] {
			continue
		}
		seen[key] = true
		reads = append(reads, clientv3.OpGet(key, clientv3.WithRev(revision)))
	}
	var custom []access.Role
	for chunk := range slices.Chunk(reads, readsAtOnce) {
		got, err := s.readAll(ctx, chunk)
		if err != nil {
			return nil, err
		}
		roles, err := decodeResponses(got.Responses, decodeRole)
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			custom = append(custom, r.Role)
		}
	}
	return custom, nil
}

// Holds implements accounts.Store. Assignments are filed by scope, so it looks
// at all of them below it, a page at a time, until it finds one.
func (s *Store) Holds(ctx context.Context, scope twinkey.ResourceID, principals []string) (bool, error) {
	for after := ""; ; {
		kvs, next, err := s.page(ctx, rolesWithin(scope), after, bulkPage)
		if err != nil {
			return false, err
		}
		for _, kv := range kvs {
			var a struct {
				PrincipalID string `json:"principalId"`
			}
			if err := json.Unmarshal(kv.Value, &a); err != nil {
				return false, fmt.Errorf("reading the document %s: %w", kv.Key, err)
			}
			if slices.Contains(principals, a.PrincipalID) {
				return true, nil
			}
		}
		if next == "" {
			return false, nil
		}
		after = next
	}
}

// AssignmentsWithin implements accounts.Store.
func (s *Store) AssignmentsWithin(ctx context.Context, scope twinkey.ResourceID, page accounts.Page) ([]access.Assignment, string, error) {
	kvs, next, err := s.page(ctx, rolesWithin(scope), page.After, limitOf(page))
	if err != nil {
		return nil, "", err
	}
	list, err := decodeAll(kvs, decodeAssignment)
	return list, next, err
}

// Assignment implements accounts.Store.
func (s *Store) Assignment(ctx context.Context, scope twinkey.ResourceID, id string) (*accounts.RoleAssignment, error) {
	a, err := one(ctx, s, assignmentKey(scope, id), decodeAssignment)
	return (*accounts.RoleAssignment)(a), err
}

// CustomRoles implements accounts.Store.
func (s *Store) CustomRoles(ctx context.Context) ([]accounts.RoleDefinition, error) {
	got, err := s.get(ctx, definitionPrefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	return decodeAll(got.Kvs, decodeRole)
}

// CustomRole implements accounts.Store.
func (s *Store) CustomRole(ctx context.Context, id string) (*accounts.RoleDefinition, error) {
	return one(ctx, s, roleKey(id), decodeRole)
}

// readAll makes linearizable reads at one revision.
func (s *Store) readAll(ctx context.Context, reads []clientv3.Op) (*clientv3.TxnResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	got, err := s.client.Txn(ctx).Then(reads...).Commit()
	if err != nil {
		return nil, unavailable(err)
	}
	return got, nil
}

// beside requires that nothing of the kind of d, in the place where d is, is
// newer than a revision. What has been deleted since does not matter.
func (t *transaction) beside(d accounts.Document, newest twinkey.Revision) {
	prefix := ""
	switch d := d.(type) {
	case *accounts.RoleAssignment:
		prefix = scopeRoles(d.Scope)
	case *accounts.RoleDefinition:
		prefix = definitionPrefix
	}
	t.when = append(t.when, clientv3.Compare(clientv3.ModRevision(prefix).WithPrefix(), "<", int64(newest)+1))
}

const definitionPrefix = root + "rd/" // <role>: custom role definitions

func roleKey(id string) string { return definitionPrefix + plain(id) }

func assignmentKey(scope twinkey.ResourceID, id string) string { return scopeRoles(scope) + plain(id) }

// plain makes a caller's id a part of a key: an id with a slash names nothing.
func plain(id string) string { return strings.ReplaceAll(twinkey.Fold(id), "/", "|") }

// rolesWithin is the prefix of the assignments at scope and below it.
func rolesWithin(scope twinkey.ResourceID) string {
	id := scope.Folded()
	switch {
	case id.Subscription == "":
		return rolePrefix
	case id.Group == "":
		return rolePrefix + id.Subscription + "|"
	case id.Account == "":
		return rolePrefix + id.Subscription + "|" + id.Group + "|"
	}
	return scopeRoles(scope)
}

func decodeAssignment(kv *mvccpb.KeyValue) (d access.Assignment, err error) {
	d.Kept, err = decode(kv.Key, kv.Value, &d)
	d.Revision = twinkey.Revision(kv.ModRevision)
	return d, err
}

func decodeRole(kv *mvccpb.KeyValue) (d accounts.RoleDefinition, err error) {
	d.Kept, err = decode(kv.Key, kv.Value, &d)
	d.Revision = twinkey.Revision(kv.ModRevision)
	return d, err
}

// decodeResponses reads the documents of every range of a transaction.
func decodeResponses[T any](responses []*etcdserverpb.ResponseOp, decode func(*mvccpb.KeyValue) (T, error)) ([]T, error) {
	var all []T
	for _, r := range responses {
		more, err := decodeAll(r.GetResponseRange().GetKvs(), decode)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}
