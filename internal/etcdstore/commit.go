package etcdstore

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/audit"
)

// Commit implements accounts.Store: one transaction.
func (s *Store) Commit(ctx context.Context, w accounts.Write) (twinkey.Revision, error) {
	var t transaction
	for _, d := range w.Require {
		t.require(d)
	}
	for _, d := range w.Put {
		t.require(d)
		t.put(d)
	}
	for _, d := range w.Remove {
		t.require(d)
		t.remove(d)
	}
	if w.Newest != nil {
		t.beside(w.Put[0], *w.Newest)
	}
	if twinkey.Fold(w.Claim) != twinkey.Fold(w.Release) {
		t.rename(w)
	}
	for _, e := range w.Activity {
		t.record(e)
	}
	if t.err != nil {
		return 0, t.err
	}
	done, err := s.txn(ctx, t.when, t.then, t.otherwise)
	switch {
	case errors.Is(err, errUnknown):
		return 0, fmt.Errorf("%w: %v", accounts.ErrUnknown, err)
	case err != nil:
		return 0, err
	case done.Succeeded:
		return twinkey.Revision(done.Header.Revision), nil
	case heldByAnother(done, w):
		return 0, twinkey.Errorf(twinkey.NameTaken, "Please pick a different name. The subdomain name '%s' is not available as it's already used by a resource.", w.Claim)
	}
	return 0, accounts.ErrConflict
}

// heldByAnother reports whether a Write did not happen because another account
// has the sub-domain. Whoever meets the account's own claim has lost a race
// against the same change, which is a conflict like any other.
func heldByAnother(done *clientv3.TxnResponse, w accounts.Write) bool {
	if len(done.Responses) == 0 || len(done.Responses[0].GetResponseRange().GetKvs()) == 0 {
		return false
	}
	holder, err := twinkey.ParseResourceID(string(done.Responses[0].GetResponseRange().Kvs[0].Value))
	return err != nil || holder.Folded() != w.Put[0].(*accounts.Account).ID.Folded()
}

// Bootstrap implements accounts.Store: of several, the first alone writes.
func (s *Store) Bootstrap(ctx context.Context, sub accounts.Subscription, owners []access.Assignment) error {
	data, err := encode(sub, nil)
	if err != nil {
		return err
	}
	puts := []clientv3.Op{clientv3.OpPut(subKey(sub.ID), data)}
	for _, a := range owners {
		if data, err = encode(a, nil); err != nil {
			return err
		}
		puts = append(puts, clientv3.OpPut(assignmentKey(a.Scope, a.ID), data))
	}
	_, err = s.txn(ctx, []clientv3.Cmp{absent(subPrefix).WithPrefix()}, puts, nil)
	return err
}

// transaction gathers what a Write comes to; the first error sticks.
type transaction struct {
	when            []clientv3.Cmp
	then, otherwise []clientv3.Op
	err             error
}

func (t *transaction) require(d accounts.Document) {
	switch d := d.(type) {
	case *accounts.Group:
		t.when = append(t.when, at(groupKey(d.ID), d.Revision))
	case *accounts.Account:
		t.when = append(t.when, at(accountKey(d.ID), d.Revision))
	case *accounts.Operation:
		t.when = append(t.when, at(operationKey(d.Group.Subscription, d.Name), d.Revision))
	case *accounts.Subscription:
		t.when = append(t.when, at(subKey(d.ID), d.Revision))
	case *accounts.RoleAssignment:
		t.when = append(t.when, at(assignmentKey(d.Scope, d.ID), d.Revision))
	case *accounts.RoleDefinition:
		t.when = append(t.when, at(roleKey(d.Role.ID), d.Revision))
	default:
		t.fail(fmt.Errorf("no place in the store for a %T", d))
	}
}

func (t *transaction) put(d accounts.Document) {
	switch d := d.(type) {
	case *accounts.Group:
		t.write(groupKey(d.ID), d, d.Kept)
	case *accounts.Account:
		t.write(accountKey(d.ID), d, d.Kept)
	case *accounts.Operation:
		t.write(operationKey(d.Group.Subscription, d.Name), d, d.Kept)
	case *accounts.Subscription:
		t.write(subKey(d.ID), d, d.Kept)
	case *accounts.RoleAssignment:
		t.write(assignmentKey(d.Scope, d.ID), d, d.Kept)
	case *accounts.RoleDefinition:
		t.write(roleKey(d.Role.ID), d, d.Kept)
	}
}

// remove deletes a document with its sub-domain and the role assignments at it.
func (t *transaction) remove(d accounts.Document) {
	switch d := d.(type) {
	case *accounts.Group:
		t.delete(groupKey(d.ID))
		t.delete(scopeRoles(d.ID), clientv3.WithPrefix())
	case *accounts.Account:
		t.delete(accountKey(d.ID))
		t.delete(scopeRoles(d.ID), clientv3.WithPrefix())
		if name := d.Properties.CustomSubDomainName; name != "" {
			t.delete(nameKey(name))
		}
	case *accounts.Operation:
		t.delete(operationKey(d.Group.Subscription, d.Name))
	case *accounts.RoleAssignment:
		t.delete(assignmentKey(d.Scope, d.ID))
	case *accounts.RoleDefinition:
		t.delete(roleKey(d.Role.ID))
	}
}

func (t *transaction) rename(w accounts.Write) {
	if w.Claim != "" {
		key := nameKey(w.Claim)
		t.when = append(t.when, absent(key))
		t.otherwise = append(t.otherwise, clientv3.OpGet(key))
		t.then = append(t.then, clientv3.OpPut(key, w.Put[0].(*accounts.Account).ID.String()))
	}
	if w.Release != "" {
		t.delete(nameKey(w.Release))
	}
}

func (t *transaction) record(e audit.Entry) { t.write(logKey(e), e, nil) }

func (t *transaction) write(key string, doc any, unknown kept) {
	data, err := encode(doc, unknown)
	t.fail(err)
	t.then = append(t.then, clientv3.OpPut(key, data))
}

func (t *transaction) delete(key string, options ...clientv3.OpOption) {
	t.then = append(t.then, clientv3.OpDelete(key, options...))
}

func (t *transaction) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}
