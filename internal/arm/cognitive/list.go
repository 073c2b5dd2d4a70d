package cognitive

import (
	"context"

	"github.com/twinkey/twinkey/internal/arm"
)

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
