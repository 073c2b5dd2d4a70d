package cognitive

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// patch changes an account that exists: properties by a JSON merge patch, the
// tags as a whole (Azure Resource Manager RPC, resource-api-reference.md, "Patch
// Resource"). A null outside the properties says nothing.
func (h *handlers) patch(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	body, err := decodeSpec(req)
	if err != nil {
		return nil, err
	}
	patch := accounts.AccountPatch{
		Kind: body.Kind, Location: body.Location, SKU: body.SKU.Name, Tags: body.Tags, Identity: body.identity,
		Properties: func(now accounts.Properties) (accounts.Properties, error) {
			written, err := written(now)
			if err != nil {
				return now, err
			}
			merged, err := mergeMembers(written, body.given)
			if err != nil {
				return now, err
			}
			return propertiesOf(merged)
		},
	}
	a, out, err := h.service.PatchAccount(ctx, req.Who, req.ID, patch, req.Precondition)
	if err != nil {
		return nil, err
	}
	return h.answer(http.StatusOK, a).Confirm(out), nil
}
