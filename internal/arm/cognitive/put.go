package cognitive

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// put creates an account, or changes one that exists.
func (h *handlers) put(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	body, err := decodeSpec(req)
	if err != nil {
		return nil, err
	}
	// A null stands for nothing, at any depth: else what is shown could not be sent
	// back as a patch, where it takes a member away.
	given, err := mergeMembers(nil, body.given)
	if err != nil {
		return nil, err
	}
	properties, err := propertiesOf(given)
	if err != nil {
		return nil, err
	}
	spec := accounts.AccountSpec{Kind: body.Kind, Location: body.Location, SKU: body.SKU.Name, Tags: body.Tags, Identity: body.identity, Properties: properties}
	a, created, out, err := h.service.PutAccount(ctx, req.Who, req.ID, spec, req.Precondition)
	if err != nil {
		return nil, err
	}
	return h.answer(createdStatus(created), a).Confirm(out), nil
}

// specBody is the body of a PUT or a PATCH.
type specBody struct {
	Kind       string            `json:"kind"`
	Location   string            `json:"location"`
	SKU        sku               `json:"sku"`
	Tags       map[string]string `json:"tags"`
	Identity   *identity         `json:"identity"`
	Properties knownProperties   `json:"properties"`

	identity json.RawMessage            // Identity, encoded
	given    map[string]json.RawMessage // all properties that callers can write, as they came
}

// decodeSpec reads the body twice: once for what the product acts on, whose
// types are checked so, once for the properties it only keeps.
func decodeSpec(req *arm.Request) (*specBody, error) {
	body := &specBody{}
	if err := req.Decode(body); err != nil {
		return nil, err
	}
	var whole struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := req.Decode(&whole); err != nil {
		return nil, err
	}
	if body.Properties.Restore {
		return nil, twinkey.Errorf(twinkey.Unsupported, "Deleted accounts are not kept, so none can be restored. Create the account without 'restore'.")
	}
	if state := body.Properties.ProvisioningState; state != "" && !strings.EqualFold(state, provisioned) {
		return nil, twinkey.Errorf(twinkey.Invalid, "The property 'provisioningState' is read-only. Leave it out, or send '%s'.", provisioned)
	}
	var err error
	if body.identity, err = body.Identity.encode(); err != nil {
		return nil, err
	}
	body.given = writableOnly(whole.Properties)
	return body, nil
}
