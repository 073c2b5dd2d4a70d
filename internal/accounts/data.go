package accounts

import (
	"context"
	"fmt"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
)

// MayCall decides whether a principal may make a call of a data plane: whether
// its roles hold the data action at the account. It fails with kind Forbidden.
func (s *Service) MayCall(ctx context.Context, who twinkey.Principal, dataAction string, id twinkey.ResourceID) error {
	held, err := s.store.Grants(ctx, id)
	if err != nil {
		return fmt.Errorf("reading role assignments: %w", err)
	}
	if access.AllowData(who, dataAction, id, held.Assignments, held.Role) {
		return nil
	}
	return twinkey.Errorf(twinkey.Forbidden, "The principal '%s' lacks the data action '%s'.", who.ObjectID, dataAction)
}
