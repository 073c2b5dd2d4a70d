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
	return answerGroup(http.StatusOK, g), nil
}

// headGroup says whether the group exists: 204 or 404.
func (h *handlers) headGroup(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	g, err := h.service.Group(ctx, req.Who, req.ID)
	if err != nil {
		return nil, err
	}
	resp := arm.Answer(http.StatusNoContent, nil)
	resp.Header.Set("ETag", arm.ETag(g.Revision))
	return resp, nil
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
	spec, err := decodeGroup(req)
	if err != nil {
		return nil, err
	}
	g, created, err := h.service.PutGroup(ctx, req.Who, req.ID, spec, req.Precondition)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return answerGroup(status, g), nil
}

// patchGroup changes the tags, as a whole.
func (h *handlers) patchGroup(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	spec, err := decodeGroup(req)
	if err != nil {
		return nil, err
	}
	g, err := h.service.PatchGroup(ctx, req.Who, req.ID, spec, req.Precondition)
	if err != nil {
		return nil, err
	}
	return answerGroup(http.StatusOK, g), nil
}

// answerGroup shows a group. Its ETag is in the header alone: Azure's groups have
// none in the body.
func answerGroup(status int, g accounts.Group) *arm.Response {
	resp := arm.Answer(status, groupOf(g))
	resp.Header.Set("ETag", arm.ETag(g.Revision))
	return resp
}

func decodeGroup(req *arm.Request) (accounts.GroupSpec, error) {
	var body struct {
		Location string            `json:"location"`
		Tags     map[string]string `json:"tags"`
	}
	err := req.Decode(&body)
	return accounts.GroupSpec{Location: body.Location, Tags: body.Tags}, err
}
