package cognitive

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/arm"
)

// delete answers 200 when there was an account and 204 when there was none
// (Azure Resource Manager RPC, resource-api-reference.md, "Delete Resource").
func (h *handlers) delete(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	existed, out, err := h.service.DeleteAccount(ctx, req.Who, req.ID, req.Precondition)
	if err != nil {
		return nil, err
	}
	if !existed {
		return arm.Answer(http.StatusNoContent, nil), nil
	}
	return arm.Answer(http.StatusOK, nil).Confirm(out), nil
}
