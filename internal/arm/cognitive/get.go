package cognitive

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/arm"
)

func (h *handlers) get(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	a, err := h.service.Account(ctx, req.Who, req.ID)
	if err != nil {
		return nil, err
	}
	return h.answer(http.StatusOK, a), nil
}
