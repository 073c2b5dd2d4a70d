package cognitive

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/arm"
)

// listUsages has nothing to list: no account here has a quota.
func (h *handlers) listUsages(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionReadUsages, req.ID); err != nil {
		return nil, err
	}
	if _, err := h.service.Account(ctx, req.Who, req.ID); err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, arm.List[struct{}]{Value: []struct{}{}}), nil
}
