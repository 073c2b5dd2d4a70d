// Package accounts is the rules of the control plane: subscriptions, resource
// groups, accounts and their keys, and who holds which role. Each method
// authorizes, changes, records and waits for the gateways, in that order and in
// one function; nothing else in the product commits any of these.
//
// It refuses to speak a protocol, to know how its store or its gateways work,
// and to answer for a change that is not both stored and recorded.
package accounts

import (
	"context"
	"fmt"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/audit"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/sealing"
)

// The actions of Azure's role definitions that this package decides on
// (Microsoft.CognitiveServices and Microsoft.Resources provider operations).
const (
	ActionReadGroup   = "Microsoft.Resources/subscriptions/resourceGroups/read"
	ActionWriteGroup  = "Microsoft.Resources/subscriptions/resourceGroups/write"
	ActionDeleteGroup = "Microsoft.Resources/subscriptions/resourceGroups/delete"
	ActionRead        = twinkey.Provider + "/accounts/read"
	ActionWrite       = twinkey.Provider + "/accounts/write"
	ActionDelete      = twinkey.Provider + "/accounts/delete"
	ActionListKeys    = twinkey.Provider + "/accounts/listKeys/action"
	ActionRegenerate  = twinkey.Provider + "/accounts/regenerateKey/action"

	ActionCheckSubDomain = twinkey.Provider + "/checkDomainAvailability/action"
)

// attempts bounds how often a change is tried again after a conflict.
const attempts = 32

// repeatWindow is how long the same request from the same principal gets the
// same answer: as long as an SDK keeps retrying a call that failed with a 5xx.
const repeatWindow = 30 * time.Second

// Confirmer waits until every gateway has applied a revision, or says which
// have not. It returns when ctx ends at the latest, with those still missing.
type Confirmer interface {
	Confirm(ctx context.Context, revision twinkey.Revision) twinkey.Confirmation
}

// Config is what a Service needs; every field is required.
type Config struct {
	Store      Store
	Ring       *sealing.Ring
	Confirmer  Confirmer
	Principals Principals
	Catalog    func() *catalog.Catalog // the one in force now
	Now        func() time.Time
}

// Service applies the rules.
type Service struct {
	store      Store
	ring       *sealing.Ring
	confirmer  Confirmer
	principals Principals
	catalog    func() *catalog.Catalog
	now        func() time.Time
	going      chan struct{} // rung when a group begins to go
}

// New makes a Service.
func New(c Config) *Service {
	return &Service{store: c.Store, ring: c.Ring, confirmer: c.Confirmer, principals: c.Principals, catalog: c.Catalog, now: c.Now, going: make(chan struct{}, 1)}
}

// Readable decides for routes that touch no document.
func (s *Service) Readable(ctx context.Context, who twinkey.Caller, action string, scope twinkey.ResourceID) error {
	return s.authorize(ctx, who, action, scope)
}

// Bootstrap writes the first subscription and gives owner the Owner role above
// everything, unless a subscription exists already.
func (s *Service) Bootstrap(ctx context.Context, sub Subscription, owners ...access.Assignment) error {
	existing, err := s.store.Subscriptions(ctx)
	if err != nil || len(existing) > 0 {
		return err
	}
	return s.store.Bootstrap(ctx, sub, owners)
}

// authorize decides on the scope as it was named, before anything is looked up
// in it, so that what is present and what is absent read alike.
func (s *Service) authorize(ctx context.Context, who twinkey.Caller, action string, scope twinkey.ResourceID) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if scope.Subscription != "" {
		if _, err := s.Subscription(ctx, scope.Subscription); err != nil {
			return err
		}
	}
	held, err := s.store.Grants(ctx, scope)
	if err != nil {
		return fmt.Errorf("reading role assignments: %w", err)
	}
	if access.Allow(who.Principal, action, scope, held.Assignments, held.Role) {
		return nil
	}
	return twinkey.Errorf(twinkey.Forbidden,
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		who.Label(), who.ObjectID, action, scope)
}

// record makes the activity entry for a change about to be committed.
func (s *Service) record(who twinkey.Caller, action string, scope twinkey.ResourceID, details ...string) []audit.Entry {
	return []audit.Entry{audit.New(who, s.now(), action, scope, details...)}
}

// confirm waits for the gateways and says what came of it.
func (s *Service) confirm(ctx context.Context, revision twinkey.Revision) Outcome {
	return Outcome{Revision: revision, Pending: s.confirmer.Confirm(ctx, revision).Pending}
}

func (s *Service) stamp(who twinkey.Caller) Stamp {
	return Stamp{By: who.Label(), ByType: who.Type, At: s.now().UTC(), Request: who.RequestID}
}

func holds(p twinkey.Principal, objectID string) bool {
	if p.ObjectID == objectID {
		return true
	}
	for _, g := range p.Groups {
		if g == objectID {
			return true
		}
	}
	return false
}
