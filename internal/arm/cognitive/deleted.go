package cognitive

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
)

// getDeleted finds nothing: deleted accounts are not kept. Clients ask after a
// delete, and take a 404 for the end of it.
func (h *handlers) getDeleted(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionReadOneDeleted, req.ID); err != nil {
		return nil, err
	}
	return nil, twinkey.Errorf(twinkey.NotFound, "The deleted account '%s' of resource group '%s' was not found in location '%s': deleted accounts are not kept.",
		twinkey.Printable(req.Name("deletedAccount"), 80), twinkey.Printable(req.Name("deletedGroup"), 100), twinkey.Printable(req.Name("location"), 60))
}

// purge answers that there was nothing to purge (Azure Resource Manager RPC,
// resource-api-reference.md, "Delete Resource").
func (h *handlers) purge(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionPurge, req.ID); err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusNoContent, nil), nil
}
