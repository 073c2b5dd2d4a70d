package resources

import (
	"context"
	"net/http"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
)

// provider is a resource provider on the wire (Microsoft.Resources 2021-04-01,
// Provider).
type provider struct {
	ID                 string         `json:"id"`
	Namespace          string         `json:"namespace"`
	RegistrationPolicy string         `json:"registrationPolicy"`
	RegistrationState  string         `json:"registrationState"`
	ResourceTypes      []resourceType `json:"resourceTypes"`
}

type resourceType struct {
	ResourceType      string   `json:"resourceType"`
	Locations         []string `json:"locations"`
	APIVersions       []string `json:"apiVersions"`
	DefaultAPIVersion string   `json:"defaultApiVersion"`
	Capabilities      string   `json:"capabilities"`
}

// offered is one provider and the types of resources it has here.
type offered struct {
	namespace string
	types     []string
}

// providers lists the providers there are. All are registered, always: there is
// nothing to prepare in a subscription.
func providers() []offered {
	return []offered{
		{twinkey.Provider, []string{"accounts", "checkDomainAvailability", "deletedAccounts", "locations", "operations", "skus"}},
		{"Microsoft.Authorization", []string{"permissions", "roleAssignments", "roleDefinitions"}},
		{"Microsoft.Insights", []string{"eventtypes"}},
		{"Microsoft.Resources", []string{"tenants", "subscriptions", "resourceGroups", "providers", "operations"}},
		{"Microsoft.Subscription", []string{"aliases"}},
	}
}

func (h *handlers) providerOf(req *arm.Request, o offered) provider {
	p := provider{
		ID: "/subscriptions/" + req.ID.Subscription + "/providers/" + o.namespace, Namespace: o.namespace,
		RegistrationPolicy: "RegistrationRequired", RegistrationState: "Registered",
	}
	versions := arm.Versions()
	for _, name := range o.types {
		t := resourceType{ResourceType: name, Locations: []string{}, APIVersions: versions, DefaultAPIVersion: versions[0], Capabilities: "None"}
		if o.namespace == twinkey.Provider && name == "accounts" {
			t.Locations = append(t.Locations, locationsOf(h.catalog())...)
			t.Capabilities = "SupportsTags, SupportsLocation"
		}
		p.ResourceTypes = append(p.ResourceTypes, t)
	}
	return p
}

func (h *handlers) listProviders(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionReadProviders, req.ID); err != nil {
		return nil, err
	}
	var list []provider
	for _, o := range providers() {
		list = append(list, h.providerOf(req, o))
	}
	return arm.AnswerList(list, ""), nil
}

func (h *handlers) getProvider(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionReadProviders, req.ID); err != nil {
		return nil, err
	}
	return h.namedProvider(req)
}

// registerProvider changes nothing: what it asks for is so already.
func (h *handlers) registerProvider(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionRegister, req.ID); err != nil {
		return nil, err
	}
	return h.namedProvider(req)
}

// unregisterProvider refuses: a client that were told otherwise would wait for
// ever for what cannot come about.
func (h *handlers) unregisterProvider(ctx context.Context, req *arm.Request) (*arm.Response, error) {
	if err := h.service.Readable(ctx, req.Who, actionUnregister, req.ID); err != nil {
		return nil, err
	}
	if _, err := h.namedProvider(req); err != nil {
		return nil, err
	}
	return nil, twinkey.Errorf(twinkey.Unsupported, "The resource provider '%s' is registered in every subscription of this server and cannot be unregistered.", twinkey.Printable(req.Name("namespace"), 100))
}

func (h *handlers) namedProvider(req *arm.Request) (*arm.Response, error) {
	for _, o := range providers() {
		if strings.EqualFold(o.namespace, req.Name("namespace")) {
			return arm.Answer(http.StatusOK, h.providerOf(req, o)), nil
		}
	}
	return nil, arm.WithCode("InvalidResourceNamespace", twinkey.Errorf(twinkey.RouteNotFound,
		"The resource namespace '%s' is invalid.", twinkey.Printable(req.Name("namespace"), 100)))
}
