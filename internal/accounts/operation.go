package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/sealing"
)

const (
	// operationKept is how long a finished operation can be asked about.
	operationKept = 24 * time.Hour
	// operationsLooked is how many operations a new one looks through, and may
	// remove, so that they do not add up.
	operationsLooked = 32
	// maxDeleters bounds how many principals one operation remembers.
	maxDeleters = 16
)

// Operation is the deletion of a resource group, under way or finished. It
// outlives the group, and with it the permissions of whoever waits for its end.
type Operation struct {
	Name      string                     `json:"name"` // begins with the time it started, so that names sort by age
	Group     twinkey.ResourceID         `json:"group"`
	DeletedBy []twinkey.Principal        `json:"deletedBy"` // who asked for it, the first first
	Started   time.Time                  `json:"started"`
	Finished  time.Time                  `json:"finished,omitzero"` // every gateway has been told by then
	Revision  twinkey.Revision           `json:"-"`
	Kept      map[string]json.RawMessage `json:"-"` // fields of a newer version, written back unread
}

// Done reports whether the operation has finished.
func (o *Operation) Done() bool { return !o.Finished.IsZero() }

// Deletion returns a deletion to who asked for it and to who may read the group.
// To all others it reads like one that never was: whether a group exists is not
// theirs to know.
func (s *Service) Deletion(ctx context.Context, who twinkey.Caller, subscription, name string) (Operation, error) {
	unknown := twinkey.Errorf(twinkey.NotFound, "The operation '%s' is not known.", twinkey.Printable(name, 80))
	if name = twinkey.Fold(name); !isOperationName(name) {
		return Operation{}, unknown
	}
	o, err := s.store.Operation(ctx, subscription, name)
	if err != nil {
		return Operation{}, err
	}
	if o == nil {
		return Operation{}, unknown
	}
	if o.askedBy(who.Principal) {
		return *o, nil
	}
	if err := s.authorize(ctx, who, ActionReadGroup, o.Group); twinkey.KindOf(err) == twinkey.Forbidden {
		return Operation{}, unknown
	} else if err != nil {
		return Operation{}, err
	}
	return *o, nil
}

func (o *Operation) askedBy(p twinkey.Principal) bool {
	return slices.ContainsFunc(o.DeletedBy, func(by twinkey.Principal) bool {
		return by.ObjectID == p.ObjectID && by.Tenant == p.Tenant
	})
}

// caller is who the activity log names for what a deletion does later.
func (o *Operation) caller() twinkey.Caller {
	if o == nil || len(o.DeletedBy) == 0 {
		return twinkey.Caller{}
	}
	return twinkey.Caller{Principal: o.DeletedBy[0]}
}

func (s *Service) newOperation(who twinkey.Caller, group twinkey.ResourceID) *Operation {
	now := s.now().UTC()
	name := fmt.Sprintf("%016x-%s", now.UnixNano(), sealing.NewUID()[:16])
	return &Operation{Name: name, Group: group, DeletedBy: []twinkey.Principal{lasting(who.Principal)}, Started: now}
}

// lasting is what stays true of a principal: not the groups it is in now.
func lasting(p twinkey.Principal) twinkey.Principal {
	p.Groups = nil
	return p
}

// outdated lists some of the operations that nobody will ask about any more.
func (s *Service) outdated(ctx context.Context, subscription string) ([]Document, error) {
	oldest, err := s.store.Operations(ctx, subscription, operationsLooked)
	if err != nil {
		return nil, err
	}
	var old []Document
	for i := range oldest {
		if o := &oldest[i]; o.Done() && s.now().Sub(o.Finished) > operationKept {
			old = append(old, o)
		}
	}
	return old, nil
}

// isOperationName reports whether a name has the form that newOperation gives.
func isOperationName(name string) bool {
	for i := range len(name) {
		c := name[i]
		digit := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
		if (i == 16) != (c == '-') || i != 16 && !digit {
			return false
		}
	}
	return len(name) == 33
}
