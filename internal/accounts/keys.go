package accounts

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/audit"
	"github.com/twinkey/twinkey/internal/sealing"
)

// Keys shows both keys. The showing is recorded first, in a transaction that
// holds only if the account is still as it was read; without the record nothing
// is shown. The keys are accepted by every gateway not named in the outcome.
func (s *Service) Keys(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID) (Keys, Outcome, error) {
	if err := s.authorize(ctx, who, ActionListKeys, id); err != nil {
		return Keys{}, Outcome{}, err
	}
	err := error(nil)
	for range attempts {
		var a *Account
		if a, err = s.find(ctx, id); err != nil {
			return Keys{}, Outcome{}, err
		}
		if a.KeysDisabled() {
			return Keys{}, Outcome{}, twinkey.Errorf(twinkey.KeysDisabled, "Failed to list key. disableLocalAuth is set to be true.")
		}
		_, err = s.store.Commit(ctx, Write{Require: []Document{a}, Activity: s.record(who, ActionListKeys, a.ID)})
		if err == nil {
			return s.show(ctx, a)
		}
		if !again(err) {
			return Keys{}, Outcome{}, fmt.Errorf("recording that keys are shown: %w", err)
		}
	}
	return Keys{}, Outcome{}, contended(id, err)
}

// Regenerate replaces the key in one slot and returns both keys.
//
// It is safe to repeat because it is bound to what it saw: the first read fixes
// the generation g, and only g to g+1 is ever committed. If the slot has moved
// past g, somebody else regenerated (or an attempt of ours landed whose answer
// was lost): nothing is changed then, and the keys are returned as they are. So
// nobody is ever handed a key that is dead on arrival without being told.
func (s *Service) Regenerate(ctx context.Context, who twinkey.Caller, id twinkey.ResourceID, name twinkey.KeyName, cond Precondition) (Keys, Outcome, error) {
	if err := s.authorize(ctx, who, ActionRegenerate, id); err != nil {
		return Keys{}, Outcome{}, err
	}
	sub, err := s.writable(ctx, id.Subscription)
	if err != nil {
		return Keys{}, Outcome{}, err
	}
	first, err := s.find(ctx, id)
	if err != nil {
		return Keys{}, Outcome{}, err
	}
	now, err := first, error(nil)
	for range attempts {
		keys, out, attemptErr := s.attempt(ctx, who, seen{sub, first, now}, name, cond)
		if err = attemptErr; !again(err) {
			return keys, out, err
		}
		if sub, attemptErr = s.writable(ctx, id.Subscription); attemptErr != nil {
			return Keys{}, Outcome{}, attemptErr
		}
		if now, attemptErr = s.find(ctx, id); attemptErr != nil {
			return Keys{}, Outcome{}, attemptErr
		}
	}
	return Keys{}, Outcome{}, contended(id, err)
}

// seen is what a regenerate has read: the subscription and the account as they
// are now, and the account as it was when the call began.
type seen struct {
	sub        *Subscription
	first, now *Account
}

// attempt takes the account as it is now from the generation first seen to the
// next, or answers with what has come about since.
func (s *Service) attempt(ctx context.Context, who twinkey.Caller, seen seen, name twinkey.KeyName, cond Precondition) (Keys, Outcome, error) {
	first, now := seen.first, seen.now
	slot := now.Slots[name.Index()]
	switch {
	case now.UID != first.UID:
		return Keys{}, Outcome{}, twinkey.Errorf(twinkey.Conflict, "The account '%s' was deleted and created anew while its key was being regenerated; nothing was changed.", first.ID.Account)
	case slot.Request.ID == who.RequestID: // an attempt of this very call, whose answer was lost
		return s.answer(ctx, now, name, Outcome{})
	case slot.Generation > first.Slots[name.Index()].Generation:
		if err := cond.check(true, now.Revision); err != nil {
			return Keys{}, Outcome{}, err // whoever names a state does not mean the one after somebody else's change
		}
		return s.showAgain(ctx, who, now, name, Outcome{Joined: true})
	case s.repeats(slot, who):
		return s.showAgain(ctx, who, now, name, Outcome{Repeated: true})
	}
	if err := cond.check(true, now.Revision); err != nil {
		return Keys{}, Outcome{}, err
	}
	next, err := s.advance(who, now, name)
	if err != nil {
		return Keys{}, Outcome{}, err
	}
	revision, err := s.store.Commit(ctx, Write{Require: []Document{seen.sub}, Put: []Document{next}, Activity: s.regenerated(who, next, name)})
	if err != nil {
		return Keys{}, Outcome{}, fmt.Errorf("regenerating %s: %w", name.Label(), err)
	}
	next.Revision = revision
	return s.answer(ctx, next, name, Outcome{})
}

// showAgain answers a regenerate that changes nothing. Keys are shown all the
// same, so it is recorded, and holds only if the account is still as read.
func (s *Service) showAgain(ctx context.Context, who twinkey.Caller, a *Account, name twinkey.KeyName, out Outcome) (Keys, Outcome, error) {
	how := "joined"
	if out.Repeated {
		how = "repeated"
	}
	entry := s.record(who, ActionRegenerate, a.ID, "slot", name.String(), "generation", generation(a, name), how, "true")
	if _, err := s.store.Commit(ctx, Write{Require: []Document{a}, Activity: entry}); err != nil {
		return Keys{}, Outcome{}, fmt.Errorf("recording a %s regenerate: %w", how, err)
	}
	return s.answer(ctx, a, name, out)
}

func (s *Service) regenerated(who twinkey.Caller, a *Account, name twinkey.KeyName) []audit.Entry {
	return s.record(who, ActionRegenerate, a.ID, "slot", name.String(), "generation", generation(a, name))
}

// advance is the account with a new key in the slot, one generation on.
func (s *Service) advance(who twinkey.Caller, a *Account, name twinkey.KeyName) (*Account, error) {
	next := *a
	slot, err := s.newSlot(who, a.UID, name, a.Slots[name.Index()].Generation+1)
	if err != nil {
		return nil, err
	}
	next.Slots[name.Index()] = slot
	return &next, nil
}

func (s *Service) newSlot(who twinkey.Caller, uid twinkey.UID, name twinkey.KeyName, g twinkey.Generation) (Slot, error) {
	key := sealing.NewKey()
	sealed, err := s.ring.Seal(sealing.Place{UID: uid, Slot: name, Generation: g}, key)
	if err != nil {
		return Slot{}, fmt.Errorf("sealing %s: %w", name.Label(), err)
	}
	request := Request{ID: who.RequestID, ClientID: who.ClientRequestID, Principal: who.ObjectID, At: s.now().UTC()}
	return Slot{Generation: g, Digest: twinkey.DigestOf(key.Reveal()), Sealed: sealed, Request: request}, nil
}

// repeats reports whether who is sending the call again that made the slot's
// generation.
func (s *Service) repeats(slot Slot, who twinkey.Caller) bool {
	age := s.now().Sub(slot.Request.At)
	return who.ClientRequestID != "" && slot.Generation > 1 &&
		slot.Request.ClientID == who.ClientRequestID && slot.Request.Principal == who.ObjectID &&
		age >= 0 && age < repeatWindow
}

// answer waits for the gateways, then opens both keys.
func (s *Service) answer(ctx context.Context, a *Account, name twinkey.KeyName, out Outcome) (Keys, Outcome, error) {
	keys, confirmed, err := s.show(ctx, a)
	out.Revision, out.Pending = confirmed.Revision, confirmed.Pending
	out.Generation = a.Slots[name.Index()].Generation
	return keys, out, err
}

func (s *Service) show(ctx context.Context, a *Account) (Keys, Outcome, error) {
	out := s.confirm(ctx, a.Revision)
	var opened [2]twinkey.Secret
	for _, name := range twinkey.KeyNames() {
		slot := a.Slots[name.Index()]
		place := sealing.Place{UID: a.UID, Slot: name, Generation: slot.Generation}
		key, err := s.ring.Open(place, slot.Sealed, slot.Digest)
		if err != nil {
			return Keys{}, Outcome{}, err
		}
		opened[name.Index()] = key
	}
	return Keys{Key1: opened[0], Key2: opened[1]}, out, nil
}

func generation(a *Account, name twinkey.KeyName) string {
	return strconv.FormatUint(uint64(a.Slots[name.Index()].Generation), 10)
}

// again reports whether a failed commit is worth another attempt after reading.
func again(err error) bool { return errors.Is(err, ErrConflict) || errors.Is(err, ErrUnknown) }
