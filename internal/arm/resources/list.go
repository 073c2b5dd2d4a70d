package resources

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// accountType is the only type of resource there is.
const accountType = twinkey.Provider + "/accounts"

// resource is a resource of any type on the wire (Microsoft.Resources
// 2021-04-01, GenericResourceExpanded).
type resource struct {
	ID                string            `json:"id"`
	Name              string            `json:"name"`
	Type              string            `json:"type"`
	Kind              string            `json:"kind"`
	Location          string            `json:"location"`
	SKU               resourceSKU       `json:"sku"`
	Tags              map[string]string `json:"tags,omitempty"`
	Identity          json.RawMessage   `json:"identity,omitempty"`
	CreatedTime       string            `json:"createdTime,omitempty"`
	ChangedTime       string            `json:"changedTime,omitempty"`
	ProvisioningState string            `json:"provisioningState,omitempty"`
}

type resourceSKU struct {
	Name string `json:"name"`
}

// resourceOf shows an account; expand lists the extra fields that are wanted.
func resourceOf(a accounts.Account, expand string) resource {
	r := resource{
		ID: a.ID.String(), Name: a.ID.Account, Type: accountType, Kind: a.Kind, Location: a.Location,
		SKU: resourceSKU{Name: a.SKU}, Tags: a.Tags, Identity: a.Identity,
	}
	for field := range strings.SplitSeq(strings.ToLower(expand), ",") {
		switch strings.TrimSpace(field) {
		case "createdtime":
			r.CreatedTime = a.Created.At.UTC().Format(time.RFC3339Nano)
		case "changedtime":
			r.ChangedTime = a.Modified.At.UTC().Format(time.RFC3339Nano)
		case "provisioningstate":
			r.ProvisioningState = "Succeeded"
		}
	}
	return r
}

// listResources lists the accounts of a subscription or a group.
func (h *handlers) listResources(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	f, err := parseFilter(req.Query.Get("$filter"))
	if err != nil {
		return nil, err
	}
	page, err := req.Page()
	if err != nil {
		return nil, err
	}
	scope := req.ID
	if scope.Group == "" {
		scope.Group = f.group
	}
	found, next, err := h.service.Accounts(ctx, req.Who, scope, page)
	if err != nil {
		return nil, err
	}
	none := f.kind != "" && !strings.EqualFold(f.kind, accountType) || f.group != "" && twinkey.Fold(f.group) != twinkey.Fold(scope.Group)
	if none {
		return arm.AnswerList[resource](nil, ""), nil
	}
	var list []resource
	for _, a := range found {
		list = append(list, resourceOf(a, req.Query.Get("$expand")))
	}
	return arm.AnswerList(list, req.NextLink(next)), nil
}

// filter is what a $filter asks for; "" asks for nothing.
type filter struct {
	kind  string // resourceType
	group string // resourceGroup
}

// parseFilter reads "resourceType eq 'x'" and "resourceGroup eq 'x'", alone or
// joined by "and". Everything else is refused: a filter that is passed over
// would show what was not asked for.
func parseFilter(text string) (filter, error) {
	var f filter
	rest := strings.TrimSpace(text)
	for rest != "" {
		name, value, after, ok := comparison(rest)
		switch {
		case ok && strings.EqualFold(name, "resourceType") && f.kind == "":
			f.kind = value
		case ok && strings.EqualFold(name, "resourceGroup") && f.group == "":
			f.group = value
		default:
			return f, twinkey.Errorf(twinkey.Unsupported,
				"The filter '%s' is not supported. Supported: resourceType eq '...' and resourceGroup eq '...'.", twinkey.Printable(text, 100))
		}
		rest = after
	}
	return f, nil
}

// comparison takes "name eq 'value'" and a following "and" off text; a quotation
// mark inside the value is doubled (OData 4.01, "Primitive Literals").
func comparison(text string) (name, value, rest string, ok bool) {
	name, rest, _ = strings.Cut(text, " ")
	operator, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	rest, quoted := strings.CutPrefix(strings.TrimSpace(rest), "'")
	if !strings.EqualFold(operator, "eq") || !quoted {
		return "", "", "", false
	}
	for {
		part, after, closed := strings.Cut(rest, "'")
		value += part
		if !closed {
			return "", "", "", false
		}
		rest = after
		if !strings.HasPrefix(rest, "'") {
			break
		}
		value += "'"
		rest = rest[1:]
	}
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return name, value, "", value != ""
	}
	conjunction, rest, _ := strings.Cut(rest, " ")
	rest = strings.TrimSpace(rest)
	return name, value, rest, value != "" && strings.EqualFold(conjunction, "and") && rest != ""
}
