package directory

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
)

// maxGroups is how many groups a principal is a member of at most: all of them
// are looked at on every call it makes.
const maxGroups = 200

// NewGroup says what group to create.
type NewGroup struct {
	Tenant      string
	Name        string // what people call it; not unique
	Nickname    string
	Description string
}

// CreatedGroup is a group that has just been created.
type CreatedGroup struct {
	Change
	ObjectID string
}

// CreateGroup adds a group without members. It fails with kind Invalid.
func (s *Service) CreateGroup(ctx context.Context, who twinkey.Caller, want NewGroup) (CreatedGroup, error) {
	t, err := s.Tenant(ctx, want.Tenant)
	if err != nil {
		return CreatedGroup{}, err
	}
	if err := errors.Join(checkDisplayName(want.Name), checkNickname(want.Nickname), checkDescription(want.Description)); err != nil {
		return CreatedGroup{}, err
	}
	rec := Record{Tenant: t.ID, ObjectID: newID(), Type: twinkey.GroupPrincipal, Name: want.Name, Nickname: want.Nickname, Description: want.Description}
	change, err := s.create(ctx, who, opCreateGroup, "", rec)
	if err != nil {
		return CreatedGroup{}, err
	}
	return CreatedGroup{Change: change, ObjectID: rec.ObjectID}, nil
}

// AddMember makes a user or an application a member of a group; what the group
// was granted it has from then on. Groups are not members of groups: membership
// is read with the member, in one read.
func (s *Service) AddMember(ctx context.Context, who twinkey.Caller, tenant, group, member string) (Change, error) {
	return s.membership(ctx, who, opAddMember, tenant, group, member, func(rec *Record, group string) error {
		switch {
		case rec.Type == twinkey.GroupPrincipal:
			return twinkey.Errorf(twinkey.Unsupported, "'%s' is a group, and groups cannot be members of groups here. Add its members instead.", rec.Name)
		case slices.Contains(rec.Groups, group):
			return twinkey.Errorf(twinkey.Invalid, "One or more added object references already exist for the following modified properties: 'members'.")
		case len(rec.Groups) >= maxGroups:
			return twinkey.Errorf(twinkey.Invalid, "'%s' is a member of %d groups, the most allowed.", rec.Name, len(rec.Groups))
		}
		rec.Groups = append(rec.Groups, group)
		return nil
	})
}

// RemoveMember ends a membership; what the group was granted the member has no
// longer. It fails with kind NotFound if there is none.
func (s *Service) RemoveMember(ctx context.Context, who twinkey.Caller, tenant, group, member string) (Change, error) {
	return s.membership(ctx, who, opRemoveMember, tenant, group, member, func(rec *Record, group string) error {
		n := len(rec.Groups)
		rec.Groups = slices.DeleteFunc(rec.Groups, func(g string) bool { return g == group })
		if n == len(rec.Groups) {
			return twinkey.Errorf(twinkey.NotFound, "'%s' is not a member of the group '%s'.", rec.Name, group)
		}
		return nil
	})
}

// membership changes a member's record as long as the group is there and stays:
// a group that is being deleted gains nobody, and nobody keeps its id.
func (s *Service) membership(ctx context.Context, who twinkey.Caller, operation, tenant, group, member string, change func(rec *Record, group string) error) (Change, error) {
	return s.swap(ctx, who, operation, tenant, member, func(w *Write, done *Change) error {
		g, revision, err := s.read(ctx, tenant, group)
		if err != nil {
			return err
		}
		if g.Type != twinkey.GroupPrincipal || g.Disabled && operation == opAddMember {
			return twinkey.Errorf(twinkey.PrincipalNotFound, "There is no group '%s' in the directory '%s'.", twinkey.Printable(group, 60), g.Tenant)
		}
		w.Require = map[string]twinkey.Revision{g.ObjectID: revision}
		done.Group = g.ObjectID
		return change(&w.Record, g.ObjectID)
	})
}

// empty closes a group to new members, ends every membership, and returns the
// group's revision. It may be run again at any point.
func (s *Service) empty(ctx context.Context, who twinkey.Caller, group Record) (twinkey.Revision, error) {
	closed, err := s.edit(ctx, who, opClose, group.Tenant, group.ObjectID, func(rec *Record) (string, error) {
		rec.Disabled = true
		return "", nil
	})
	if err != nil {
		return 0, err
	}
	for after := ""; ; {
		page, err := s.List(ctx, group.Tenant, after, 0)
		if err != nil {
			return 0, err
		}
		if len(page) == 0 {
			return closed.Revision, nil
		}
		for _, m := range page {
			if after = m.ObjectID; !slices.Contains(m.Groups, group.ObjectID) {
				continue
			}
			_, err := s.RemoveMember(ctx, who, group.Tenant, group.ObjectID, m.ObjectID)
			if kind := twinkey.KindOf(err); err != nil && kind != twinkey.NotFound && kind != twinkey.PrincipalNotFound {
				return 0, err
			}
		}
	}
}

// checkNickname applies Microsoft Graph's rule for mailNickname: up to 64 ASCII
// characters, without those that addresses give a meaning to (Microsoft Graph,
// "group resource type").
func checkNickname(name string) error {
	ok := len(name) <= 64
	for i := 0; ok && i < len(name); i++ {
		ok = name[i] > ' ' && name[i] < 0x7f && !strings.ContainsRune(`@()\[]";:<>,`, rune(name[i]))
	}
	if !ok {
		return twinkey.Errorf(twinkey.Invalid, "The mail nickname '%s' is invalid. It must have up to 64 ASCII characters other than space and @ ( ) \\ [ ] \" ; : < > ,", twinkey.Printable(name, 80))
	}
	return nil
}

func checkDescription(text string) error {
	if text == "" {
		return nil
	}
	if len(text) > 1024 {
		return twinkey.Errorf(twinkey.Invalid, "The description has %d bytes; 1024 are allowed.", len(text))
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0xfffd {
			return twinkey.Errorf(twinkey.Invalid, "The description holds control characters.")
		}
	}
	return nil
}
