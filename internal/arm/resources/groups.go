package resources

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// group is a resource group on the wire (Microsoft.Resources 2021-04-01,
// ResourceGroup).
type group struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags,omitempty"`
	Properties groupProperties   `json:"properties"`
}

type groupProperties struct {
	ProvisioningState string `json:"provisioningState"`
}

func groupOf(g accounts.Group) group {
	state := "Succeeded"
	if g.State == accounts.GroupDeleting {
		state = "Deleting"
	}
	return group{
		ID: g.ID.String(), Name: g.ID.Group, Type: "Microsoft.Resources/resourceGroups", Location: g.Location, Tags: g.Tags,
		Properties: groupProperties{ProvisioningState: state},
	}
}

func (h *handlers) getGroup(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	g, err := h.service.Group(ctx, req.Who, req.ID)
	if err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusOK, groupOf(g)), nil
}

// headGroup says whether the group exists: 204 or 404.
func (h *handlers) headGroup(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if _, err := h.service.Group(ctx, req.Who, req.ID); err != nil {
		return nil, err
	}
	return arm.Answer(http.StatusNoContent, nil), nil
}

func (h *handlers) listGroups(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if req.Query.Get("$filter") != "" {
		return nil, twinkey.Errorf(twinkey.Unsupported, "Resource groups cannot be filtered here. List them without $filter.")
	}
	page, err := req.Page()
	if err != nil {
		return nil, err
	}
	groups, next, err := h.service.Groups(ctx, req.Who, req.ID.Subscription, page)
	if err != nil {
		return nil, err
	}
	var list []group
	for _, g := range groups {
		list = append(list, groupOf(g))
	}
	return arm.AnswerList(list, req.NextLink(next)), nil
}

func (h *handlers) putGroup(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	var body struct {
		Location string            `json:"location"`
		Tags     map[string]string `json:"tags"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	g, created, err := h.service.PutGroup(ctx, req.Who, req.ID, accounts.GroupSpec{Location: body.Location, Tags: body.Tags})
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return arm.Answer(status, groupOf(g)), nil
}

// deleteGroup starts the deletion. It is one operation of many, so it is the
// one that clients wait for (Azure Resource Manager RPC,
// async-api-reference.md).
func (h *handlers) deleteGroup(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	operation, err := h.service.DeleteGroup(ctx, req.Who, req.ID)
	if err != nil {
		return nil, err
	}
	return going(req, operation), nil
}

// going is the answer for an operation that is under way.
func going(req *arm.Request, operation string) *arm.Response {
	resp := arm.Answer(http.StatusAccepted, nil)
	resp.Header.Set("Location", req.URL("subscriptions", req.ID.Subscription, "operationresults", operation))
	resp.Header.Set("Azure-AsyncOperation", req.URL("subscriptions", req.ID.Subscription, "operations", operation))
	resp.Header.Set("Retry-After", "1")
	return resp
}

// operationResult is what Location points at: 202 until the group is gone, then 200.
func (h *handlers) operationResult(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	operation := req.Name("operation")
	done, err := h.service.GroupDeletion(ctx, req.Who, req.ID.Subscription, operation)
	switch {
	case err != nil:
		return nil, err
	case done:
		return arm.Answer(http.StatusOK, nil), nil
	}
	return going(req, operation), nil
}

// operationState is an operation on the wire.
type operationState struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

// operationStatus is what Azure-AsyncOperation points at: always 200.
func (h *handlers) operationStatus(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	operation := req.Name("operation")
	done, err := h.service.GroupDeletion(ctx, req.Who, req.ID.Subscription, operation)
	if err != nil {
		return nil, err
	}
	state := operationState{ID: req.ID.String() + "/operations/" + operation, Name: operation, Status: "Succeeded"}
	resp := arm.Answer(http.StatusOK, &state)
	if !done {
		state.Status = "InProgress"
		resp.Header.Set("Retry-After", "1")
	}
	return resp, nil
}
