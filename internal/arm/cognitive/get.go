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

// list lists the accounts of a subscription or a group.
func (h *handlers) list(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	page, err := req.Page()
	if err != nil {
		return nil, err
	}
	found, next, err := h.service.Accounts(ctx, req.Who, req.ID, page)
	if err != nil {
		return nil, err
	}
	var list []account
	for _, a := range found {
		list = append(list, h.show(a))
	}
	return arm.AnswerList(list, req.NextLink(next)), nil
}
