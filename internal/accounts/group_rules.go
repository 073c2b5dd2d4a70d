package accounts

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twinkey/twinkey"
)

// Group returns one resource group.
func (s *Service) Group(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID) (Group, error) {
	if err := s.authorize(ctx, who, ActionReadGroup, id); err != nil {
		return Group{}, err
	}
	g, err := s.findGroup(ctx, id)
	if err != nil {
		return Group{}, err
	}
	return *g, nil
}

// Groups lists the resource groups of a subscription.
func (s *Service) Groups(ctx context.Context, who twinkey.Caller, subscription string, page Page) ([]Group, string, error) {
	if err := s.authorize(ctx, who, ActionReadGroup, twinkey.ResourceID{Subscription: subscription}); err != nil {
		return nil, "", err
	}
	return s.store.Groups(ctx, subscription, page)
}

// PutGroup creates a resource group or replaces the tags of one that exists.
func (s *Service) PutGroup(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, spec GroupSpec, cond Precondition) (Group, bool, error) {
	created := false
	g, err := s.writeGroup(ctx, who, id, func(current *Group) (*Group, error) {
		if err := cond.check(current != nil, groupRevision(current)); err != nil {
			return nil, err
		}
		if created = current == nil; created {
			return s.newGroup(id, spec)
		}
		return s.changedGroup(current, spec)
	})
	return g, created && err == nil, err
}

// PatchGroup replaces the tags of a group that exists.
func (s *Service) PatchGroup(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, spec GroupSpec, cond Precondition) (Group, error) {
	return s.writeGroup(ctx, who, id, func(current *Group) (*Group, error) {
		if current == nil {
			return nil, noGroup(id)
		}
		if err := cond.check(true, current.Revision); err != nil {
			return nil, err
		}
		return s.changedGroup(current, spec)
	})
}

// writeGroup makes of the group there is, nil for none, the one there shall be.
func (s *Service) writeGroup(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, plan func(current *Group) (*Group, error)) (Group, error) {
	if err := s.authorize(ctx, who, ActionWriteGroup, id); err != nil {
		return Group{}, err
	}
	err, tried := error(nil), []*Group(nil)
	for range attempts {
		sub, subErr := s.writable(ctx, id.Subscription)
		if subErr != nil {
			return Group{}, subErr
		}
		current, readErr := s.store.Group(ctx, id)
		if readErr != nil {
			return Group{}, readErr
		}
		if slices.ContainsFunc(tried, func(g *Group) bool { return g.is(current) }) {
			return *current, nil // it was made after all, and the answer was lost
		}
		next, planErr := plan(current)
		if planErr != nil {
			return Group{}, planErr
		}
		revision, commitErr := s.store.Commit(ctx, Write{Require: []Document{sub}, Put: []Document{next}, Activity: s.record(who, ActionWriteGroup, next.ID)})
		if commitErr == nil {
			next.Revision = revision
			return *next, nil
		}
		if err = commitErr; !again(err) {
			return Group{}, fmt.Errorf("writing resource group: %w", err)
		}
		tried = append(tried, next)
	}
	return Group{}, contended(id, err)
}

func (s *Service) newGroup(id twinkey.ResourceID, spec GroupSpec) (*Group, error) {
	if spec.Location == "" {
		return nil, twinkey.Errorf(twinkey.Invalid, "The location property is required for this definition.")
	}
	if err := checkLocation(spec.Location); err != nil {
		return nil, err
	}
	now := s.now().UTC()
	return &Group{ID: id, Location: spec.Location, Tags: spec.Tags, State: GroupActive, Created: now, Modified: now}, checkTags(spec.Tags)
}

func (s *Service) changedGroup(current *Group, spec GroupSpec) (*Group, error) {
	if current.State != GroupActive {
		return nil, beingDeleted(current)
	}
	if spec.Location != "" && foldLocation(spec.Location) != foldLocation(current.Location) {
		return nil, twinkey.Errorf(twinkey.LocationConflict, "The resource group '%s' already exists in location '%s'; it cannot be moved to '%s'.", current.ID.Group, current.Location, twinkey.Printable(spec.Location, 60))
	}
	next := *current
	if spec.Tags != nil {
		next.Tags = spec.Tags
	}
	next.Modified = s.now().UTC()
	return &next, checkTags(next.Tags)
}

func (s *Service) findGroup(ctx context.Context, id twinkey.ResourceID) (*Group, error) {
	g, err := s.store.Group(ctx, id)
	if err != nil || g != nil {
		return g, err
	}
	return nil, noGroup(id)
}

// is reports whether what was to be written is what is there.
func (g *Group) is(there *Group) bool {
	return there != nil && there.Modified.Equal(g.Modified) && there.State == g.State && maps.Equal(there.Tags, g.Tags)
}

func groupRevision(g *Group) twinkey.Revision {
	if g == nil {
		return 0
	}
	return g.Revision
}

func noGroup(id twinkey.ResourceID) error {
	return twinkey.Errorf(twinkey.GroupNotFound, "Resource group '%s' could not be found.", id.Group)
}

func beingDeleted(g *Group) error {
	return twinkey.Errorf(twinkey.GroupDeleting, "The resource group '%s' is in deprovisioning state and cannot perform this operation.", g.ID.Group)
}
