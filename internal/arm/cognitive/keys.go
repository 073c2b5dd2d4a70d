package cognitive

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// apiKeys is both keys on the wire, in clear (Microsoft.CognitiveServices
// 2024-10-01, ApiKeys).
type apiKeys struct {
	Key1 string `json:"key1"`
	Key2 string `json:"key2"`
}

// listKeys shows both keys. It takes no body, and passes over one.
func (h *handlers) listKeys(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	keys, out, err := h.service.Keys(ctx, req.Who, req.ID)
	if err != nil {
		return nil, err
	}
	return showKeys(keys, out), nil
}

// regenerateKey replaces one key and shows both.
func (h *handlers) regenerateKey(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	var body struct {
		KeyName string `json:"keyName"`
	}
	if err := req.Decode(&body); err != nil {
		return nil, err
	}
	if body.KeyName == "" {
		return nil, twinkey.Errorf(twinkey.Unreadable, "The property 'keyName' is required. Allowed values: Key1, Key2.")
	}
	name, err := twinkey.ParseKeyName(body.KeyName)
	if err != nil {
		return nil, err
	}
	keys, out, err := h.service.Regenerate(ctx, req.Who, req.ID, name, req.Precondition)
	if err != nil {
		return nil, err
	}
	return showKeys(keys, out), nil
}

// showKeys is the one place where keys leave the server. No cache may hold them.
func showKeys(keys accounts.Keys, out accounts.Outcome) *arm.Response {
	resp := arm.Answer(http.StatusOK, apiKeys{Key1: keys.Key1.Reveal(), Key2: keys.Key2.Reveal()})
	resp.Header.Set("Cache-Control", "no-cache, no-store")
	return resp.Confirm(out)
}
