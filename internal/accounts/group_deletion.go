package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twinkey/twinkey"
)

// deleteBatch is how many accounts one transaction of a group deletion removes:
// up to four operations each, against a store limit of 128.
const deleteBatch = 25

// DeleteGroup marks a group as going and returns the operation, which
// RunDeletions carries out, now or after a restart. Of a group that is going
// already it returns the operation under way; to who asked for that before,
// whatever cond says.
func (s *Service) DeleteGroup(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, cond Precondition) (Operation, error) {
	if err := s.authorize(ctx, who, ActionDeleteGroup, id); err != nil {
		return Operation{}, err
	}
	err := error(nil)
	for range attempts {
		sub, subErr := s.writable(ctx, id.Subscription)
		if subErr != nil {
			return Operation{}, subErr
		}
		o, w, planErr := s.planDeletion(ctx, who, id, cond)
		if planErr != nil {
			return Operation{}, planErr
		}
		if len(w.Put) == 0 {
			return *o, nil
		}
		w.Require = append(w.Require, sub)
		revision, commitErr := s.store.Commit(ctx, w)
		if commitErr == nil {
			o.Revision = revision
			s.wakeDeletions()
			return *o, nil
		}
		if err = commitErr; !again(err) {
			return Operation{}, fmt.Errorf("deleting resource group: %w", err)
		}
	}
	return Operation{}, contended(id, err)
}

// planDeletion works out the transaction that makes a group go, or that adds
// the caller to those who may follow a deletion under way; an empty one if there
// is nothing to write.
func (s *Service) planDeletion(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, cond Precondition) (*Operation, Write, error) {
	g, err := s.findGroup(ctx, id)
	if err != nil {
		return nil, Write{}, err
	}
	if g.State == GroupDeleting {
		o, err := s.store.Operation(ctx, id.Subscription, g.Operation)
		switch {
		case err != nil:
			return nil, Write{}, err
		case o == nil:
			return nil, Write{}, beingDeleted(g)
		case o.askedBy(who.Principal): // the same call again, as far as anybody can tell
			return o, Write{}, nil
		}
		if err := cond.check(true, g.Revision); err != nil {
			return nil, Write{}, err
		}
		if len(o.DeletedBy) == maxDeleters {
			return o, Write{}, nil
		}
		o.DeletedBy = append(o.DeletedBy, lasting(who.Principal))
		return o, Write{Put: []Document{o}, Require: []Document{g}, Activity: s.record(who, ActionDeleteGroup, g.ID, "operation", "joined")}, nil
	}
	if err := cond.check(true, g.Revision); err != nil {
		return nil, Write{}, err
	}
	old, err := s.outdated(ctx, id.Subscription)
	if err != nil {
		return nil, Write{}, err
	}
	o := s.newOperation(who, g.ID)
	g.State, g.Operation, g.Modified = GroupDeleting, o.Name, o.Started
	return o, Write{Put: []Document{g, o}, Remove: old, Activity: s.record(who, ActionDeleteGroup, g.ID, "operation", "started")}, nil
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
		o, err := s.store.Operation(ctx, id.Subscription, g.Operation)
		if err != nil {
			return err
		}
		left, _, err := s.store.Accounts(ctx, id, Page{Limit: deleteBatch})
		if err != nil {
			return err
		}
		if len(left) == 0 {
			if err := s.removeGroup(ctx, g, o); !again(err) {
				return err
			}
			continue
		}
		if err := s.removeAll(ctx, o, left); err != nil {
			return err
		}
	}
}

// removeGroup deletes an empty group, and with it ends its operation, when no
// gateway admits its accounts any more: also those whose deletion was answered
// late or never.
func (s *Service) removeGroup(ctx context.Context, g *Group, o *Operation) error {
	revision, err := s.store.Revision(ctx)
	if err != nil {
		return err
	}
	if out := s.confirm(ctx, revision); len(out.Pending) > 0 {
		return twinkey.Errorf(twinkey.Unavailable, "The deletion of '%s' waits for the gateways %v.", g.ID, out.Pending)
	}
	w := Write{Remove: []Document{g}, Activity: s.record(o.caller(), ActionDeleteGroup, g.ID, "operation", "finished")}
	if o != nil {
		o.Finished = s.now().UTC()
		w.Put = []Document{o}
	}
	_, err = s.store.Commit(ctx, w)
	return err
}

// removeAll deletes some accounts in one transaction and waits for the gateways.
func (s *Service) removeAll(ctx context.Context, o *Operation, left []Account) error {
	w := Write{}
	for i := range left {
		w.Remove = append(w.Remove, &left[i])
		w.Activity = append(w.Activity, s.record(o.caller(), ActionDelete, left[i].ID)...)
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
