package resources

import (
	"context"
	"net/http"
	"time"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// timeFormat has the seven digits after the point that clients are used to.
const timeFormat = "2006-01-02T15:04:05.0000000Z"

// deleteGroup starts the deletion. It is one operation of many, so it is the
// one that clients wait for (Azure Resource Manager RPC,
// async-api-reference.md).
func (h *handlers) deleteGroup(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	operation, err := h.service.DeleteGroup(ctx, req.Who, req.ID, req.Precondition)
	if err != nil {
		return nil, err
	}
	return going(req, operation), nil
}

// going is the answer for an operation that is under way.
func going(req *arm.Request, operation accounts.Operation) *arm.Response {
	resp := arm.Answer(http.StatusAccepted, nil)
	resp.Header.Set("Location", req.URL("subscriptions", req.ID.Subscription, "operationresults", operation.Name))
	resp.Header.Set("Azure-AsyncOperation", req.URL("subscriptions", req.ID.Subscription, "operations", operation.Name))
	resp.Header.Set("Retry-After", "1")
	return resp
}

// operationResult is what Location points at: 202 until the group is gone, then 200.
func (h *handlers) operationResult(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	operation, err := h.service.Deletion(ctx, req.Who, req.ID.Subscription, req.Name("operation"))
	switch {
	case err != nil:
		return nil, err
	case operation.Done():
		return arm.Answer(http.StatusOK, nil), nil
	}
	return going(req, operation), nil
}

// operationState is an operation on the wire.
type operationState struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Status    string `json:"status"`
	StartTime string `json:"startTime"`
	EndTime   string `json:"endTime,omitempty"`
}

// operationStatus is what Azure-AsyncOperation points at: always 200.
func (h *handlers) operationStatus(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	operation, err := h.service.Deletion(ctx, req.Who, req.ID.Subscription, req.Name("operation"))
	if err != nil {
		return nil, err
	}
	state := operationState{
		ID: req.ID.String() + "/operations/" + operation.Name, Name: operation.Name, Status: "InProgress", StartTime: stamp(operation.Started),
	}
	resp := arm.Answer(http.StatusOK, &state)
	if operation.Done() {
		state.Status, state.EndTime = "Succeeded", stamp(operation.Finished)
	} else {
		resp.Header.Set("Retry-After", "1")
	}
	return resp, nil
}

func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }
