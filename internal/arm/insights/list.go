package insights

import (
	"context"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

const (
	pageSize = 200    // events a page has if the call does not say
	budget   = 20_000 // entries that are looked at for one page; it ends sooner then, with a link to the next
)

// listEvents lists events from the newest on (Azure Monitor, "Activity Logs -
// List").
func (h *handlers) listEvents(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	f, err := parseFilter(req.Query.Get("$filter"), req.ID.Subscription)
	if err != nil {
		return nil, err
	}
	if err := h.service.Readable(ctx, req.Who, actionReadEvents, f.scope); err != nil {
		return nil, err
	}
	page, err := req.Page()
	if err != nil {
		return nil, err
	}
	if page.Limit == 0 {
		page.Limit = pageSize
	}
	if f.to.IsZero() {
		f.to = h.now()
	}
	events, next, err := h.find(ctx, f, page)
	if err != nil {
		return nil, err
	}
	names := selected(req.Query.Get("$select"))
	if names == nil {
		return arm.AnswerList(events, req.NextLink(next)), nil
	}
	parts := make([]any, len(events))
	for i := range events {
		if parts[i], err = events[i].pick(names); err != nil {
			return nil, err
		}
	}
	return arm.AnswerList(parts, req.NextLink(next)), nil
}

// find goes back through the log until the page is full, the log ends, or it has
// looked at enough.
func (h *handlers) find(ctx context.Context, f filter, page accounts.Page) ([]event, string, error) {
	var found []event
	for looked := 0; ; {
		entries, next, err := h.log.RecentActivity(ctx, f.scope.Subscription, f.from, f.to, page)
		if err != nil {
			return nil, "", err
		}
		for i, e := range entries {
			scope, ok := f.matches(e)
			if !ok {
				continue
			}
			if found = append(found, h.eventOf(e, scope)); len(found) < page.Limit {
				continue
			}
			if next != "" || i < len(entries)-1 {
				next = e.Hour() + "/" + e.ID
			}
			return found, next, nil
		}
		if looked += len(entries); next == "" || looked >= budget {
			return found, next, nil
		}
		page.After = next
	}
}
