package accounts

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/sealing"
)

// deleteBatch is how many accounts one transaction of a group deletion removes:
// up to four operations each, against a store limit of 128.
const deleteBatch = 25

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
func (s *Service) PutGroup(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, spec GroupSpec) (Group, bool, error) {
	if err := s.authorize(ctx, who, ActionWriteGroup, id); err != nil {
		return Group{}, false, err
	}
	if err := s.writable(ctx, id.Subscription); err != nil {
		return Group{}, false, err
	}
	err := error(nil)
	for range attempts {
		current, readErr := s.store.Group(ctx, id)
		if readErr != nil {
			return Group{}, false, readErr
		}
		next, planErr := s.groupAsAsked(id, current, spec)
		if planErr != nil {
			return Group{}, false, planErr
		}
		revision, commitErr := s.store.Commit(ctx, Write{Put: []Document{next}, Activity: s.record(who, ActionWriteGroup, id)})
		if commitErr == nil {
			next.Revision = revision
			return *next, current == nil, nil
		}
		if err = commitErr; !again(err) {
			return Group{}, false, fmt.Errorf("writing resource group: %w", err)
		}
	}
	return Group{}, false, contended(id, err)
}

// DeleteGroup marks a group as going and returns the name of the operation,
// which RunDeletions carries out, now or after a restart.
func (s *Service) DeleteGroup(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID) (string, error) {
	if err := s.authorize(ctx, who, ActionDeleteGroup, id); err != nil {
		return "", err
	}
	if err := s.writable(ctx, id.Subscription); err != nil {
		return "", err
	}
	err := error(nil)
	for range attempts {
		g, findErr := s.findGroup(ctx, id)
		if findErr != nil {
			return "", findErr
		}
		if g.State == GroupDeleting {
			return g.Operation, nil
		}
		g.State, g.Operation, g.Modified, g.DeletedBy = GroupDeleting, newOperation(g.ID), s.now().UTC(), &who.Principal
		_, commitErr := s.store.Commit(ctx, Write{Put: []Document{g}, Activity: s.record(who, ActionDeleteGroup, g.ID, "operation", "started")})
		if commitErr == nil {
			s.wakeDeletions()
			return g.Operation, nil
		}
		if err = commitErr; !again(err) {
			return "", fmt.Errorf("deleting resource group: %w", err)
		}
	}
	return "", contended(id, err)
}

// GroupDeletion reports whether a deletion has finished: the group is gone, and
// every gateway has been told.
func (s *Service) GroupDeletion(ctx context.Context, who twinkey.Caller, subscription, operation string) (bool, error) {
	unknown := twinkey.Errorf(twinkey.NotFound, "The operation '%s' is not known.", twinkey.Printable(operation, 80))
	_, encoded, _ := strings.Cut(operation, "-")
	name, err := base64.RawURLEncoding.DecodeString(encoded)
	id := twinkey.ResourceID{Subscription: subscription, Group: string(name)}
	if err != nil || id.Group == "" || id.Check() != nil {
		return false, unknown
	}
	if err := s.authorize(ctx, who, ActionReadGroup, id); err != nil {
		return false, err
	}
	g, err := s.store.Group(ctx, id)
	if err != nil {
		return false, err
	}
	return g == nil || g.Operation != operation, nil
}

// RunDeletions finishes what DeleteGroup begins, and what was left unfinished
// when the process last ended, until ctx ends. Errors are reported, and the
// deletion is tried again when the next one begins or retry is received from.
func (s *Service) RunDeletions(ctx context.Context, retry <-chan time.Time, report func(error)) {
	s.wakeDeletions()
	for {
		select {
		case <-ctx.Done():
			return
		case <-retry:
		case <-s.going:
		}
		if err := s.finishDeletions(ctx); err != nil && ctx.Err() == nil {
			report(err)
		}
	}
}

func (s *Service) finishDeletions(ctx context.Context) error {
	going, err := s.deletions(ctx)
	for _, id := range going {
		err = errors.Join(err, s.finishDeletion(ctx, id))
	}
	return err
}

// deletions lists the groups whose deletion is not finished.
func (s *Service) deletions(ctx context.Context) ([]twinkey.ResourceID, error) {
	subs, err := s.store.Subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	var going []twinkey.ResourceID
	for _, sub := range subs {
		for page := (Page{}); ; {
			groups, next, err := s.store.Groups(ctx, sub.ID, page)
			if err != nil {
				return nil, err
			}
			for _, g := range groups {
				if g.State == GroupDeleting {
					going = append(going, g.ID)
				}
			}
			if next == "" {
				break
			}
			page.After = next
		}
	}
	return going, nil
}

// finishDeletion removes what is left in a group that is going, in batches, and
// then the group. It may be run again at any point, and twice at once.
func (s *Service) finishDeletion(ctx context.Context, id twinkey.ResourceID) error {
	for {
		g, err := s.store.Group(ctx, id)
		if err != nil {
			return err
		}
		if g == nil || g.State != GroupDeleting {
			return nil
		}
		left, _, err := s.store.Accounts(ctx, id, Page{Limit: deleteBatch})
		if err != nil {
			return err
		}
		if len(left) == 0 {
			_, err := s.store.Commit(ctx, Write{Remove: []Document{g}, Activity: s.record(deleter(g), ActionDeleteGroup, g.ID, "operation", "finished")})
			if again(err) {
				continue
			}
			return err
		}
		if err := s.removeAll(ctx, g, left); err != nil {
			return err
		}
	}
}

// removeAll deletes some accounts in one transaction and waits for the gateways.
func (s *Service) removeAll(ctx context.Context, g *Group, left []Account) error {
	w := Write{}
	for i := range left {
		w.Remove = append(w.Remove, &left[i])
		w.Activity = append(w.Activity, s.record(deleter(g), ActionDelete, left[i].ID)...)
	}
	revision, err := s.store.Commit(ctx, w)
	if again(err) {
		return nil // the caller reads what is left, and comes back
	}
	if err != nil {
		return fmt.Errorf("deleting accounts: %w", err)
	}
	s.confirm(ctx, revision)
	return nil
}

// wakeDeletions wakes RunDeletions, which looks for itself what there is to do.
func (s *Service) wakeDeletions() {
	select {
	case s.going <- struct{}{}:
	default:
	}
}

func (s *Service) groupAsAsked(id twinkey.ResourceID, current *Group, spec GroupSpec) (*Group, error) {
	now := s.now().UTC()
	if current == nil {
		if spec.Location == "" {
			return nil, twinkey.Errorf(twinkey.Invalid, "The location property is required for this definition.")
		}
		return &Group{ID: id, Location: spec.Location, Tags: spec.Tags, State: GroupActive, Created: now, Modified: now}, nil
	}
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
	next.Modified = now
	return &next, nil
}

func (s *Service) findGroup(ctx context.Context, id twinkey.ResourceID) (*Group, error) {
	g, err := s.store.Group(ctx, id)
	if err != nil || g != nil {
		return g, err
	}
	return nil, twinkey.Errorf(twinkey.GroupNotFound, "Resource group '%s' could not be found.", id.Group)
}

func beingDeleted(g *Group) error {
	return twinkey.Errorf(twinkey.GroupDeleting, "The resource group '%s' is in deprovisioning state and cannot perform this operation.", g.ID.Group)
}

// newOperation names a deletion so that the group it belongs to can be found
// again: random digits, then the group's name.
func newOperation(id twinkey.ResourceID) string {
	return string(sealing.NewUID()[:16]) + "-" + base64.RawURLEncoding.EncodeToString([]byte(id.Group))
}

// deleter is who the activity log names for what a deletion does later.
func deleter(g *Group) twinkey.Caller {
	if g.DeletedBy == nil {
		return twinkey.Caller{}
	}
	return twinkey.Caller{Principal: *g.DeletedBy}
}
