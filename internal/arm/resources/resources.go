// Package resources is ARM's routes for what surrounds accounts: tenants,
// subscriptions, locations, resource groups, resource providers, and resources
// of any type (Microsoft.Resources).
//
// It refuses to decide or store anything: package accounts does both.
package resources

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/catalog"
)

// The actions this package asks about itself (Microsoft.Resources provider
// operations).
const (
	actionReadTenants       = "Microsoft.Resources/tenants/read"
	actionReadSubscriptions = "Microsoft.Resources/subscriptions/read"
	actionReadLocations     = "Microsoft.Resources/subscriptions/locations/read"
	actionReadProviders     = "Microsoft.Resources/subscriptions/providers/read"
	actionReadResources     = "Microsoft.Resources/subscriptions/resources/read"
	actionReadGroupContents = "Microsoft.Resources/subscriptions/resourceGroups/resources/read"
	actionReadOperations    = "Microsoft.Resources/subscriptions/operationresults/read"
	actionRegister          = "Microsoft.CognitiveServices/register/action"
	actionUnregister        = "Microsoft.CognitiveServices/unregister/action"
)

// Tenant is a directory that people and programs sign in to.
type Tenant struct {
	ID     string // GUID
	Name   string
	Domain string
}

// Tenants lists the tenants there are.
type Tenants interface {
	Tenants(ctx context.Context) ([]Tenant, error)
}

// Config is what the routes need; every field is required.
type Config struct {
	Service *accounts.Service
	Tenants Tenants
	Catalog func() *catalog.Catalog // the one in force now
}

// handlers answers the calls.
type handlers struct {
	service *accounts.Service
	tenants Tenants
	catalog func() *catalog.Catalog
}

// Routes is the table of this package.
func Routes(config Config) []arm.Route {
	h := &handlers{service: config.Service, tenants: config.Tenants, catalog: config.Catalog}
	const (
		groups     = arm.SubscriptionPath + "/resourceGroups"
		namespaces = arm.SubscriptionPath + "/providers"
	)
	return []arm.Route{
		{Method: http.MethodGet, Pattern: "/tenants", Action: actionReadTenants, Display: display("Tenant", "Get Tenants", "Gets the list of tenants."), Handle: h.listTenants},
		{Method: http.MethodGet, Pattern: "/subscriptions", Action: actionReadSubscriptions, Display: display("Subscription", "Get Subscription", "Gets the list of subscriptions."), Handle: h.listSubscriptions},
		{Method: http.MethodGet, Pattern: arm.SubscriptionPath, Action: actionReadSubscriptions, Handle: h.getSubscription},
		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + "/locations", Action: actionReadLocations, Display: display("Location", "Get Locations", "Gets the list of locations."), Handle: h.listLocations},

		{Method: http.MethodGet, Pattern: groups, Action: accounts.ActionReadGroup, Display: display("Resource Group", "Get Resource Group", "Gets or lists resource groups."), Handle: h.listGroups},
		{Method: http.MethodGet, Pattern: arm.GroupPath, Action: accounts.ActionReadGroup, Handle: h.getGroup},
		{Method: http.MethodHead, Pattern: arm.GroupPath, Action: accounts.ActionReadGroup, Handle: h.headGroup},
		{Method: http.MethodPut, Pattern: arm.GroupPath, Action: accounts.ActionWriteGroup, Display: display("Resource Group", "Create Resource Group", "Creates or updates a resource group."), Handle: h.putGroup},
		{Method: http.MethodPatch, Pattern: arm.GroupPath, Action: accounts.ActionWriteGroup, Handle: h.patchGroup},
		{Method: http.MethodDelete, Pattern: arm.GroupPath, Action: accounts.ActionDeleteGroup, Display: display("Resource Group", "Delete Resource Group", "Deletes a resource group and all its resources."), Handle: h.deleteGroup},
		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + "/operationresults/{operation}", Action: actionReadOperations, Display: display("Operation Result", "Get Operation Result", "Gets the result of an operation."), Handle: h.operationResult},
		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + "/operations/{operation}", Action: actionReadOperations, Handle: h.operationStatus},

		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + "/resources", Action: actionReadResources, Display: display("Resource", "Get Resources", "Gets the resources of a subscription."), Handle: h.listResources},
		{Method: http.MethodGet, Pattern: arm.GroupPath + "/resources", Action: actionReadGroupContents, Display: display("Resource", "Get Resources Of A Group", "Gets the resources of a resource group."), Handle: h.listResources},

		{Method: http.MethodGet, Pattern: namespaces, Action: actionReadProviders, Display: display("Provider", "Get Providers", "Gets or lists resource providers."), Handle: h.listProviders},
		{Method: http.MethodGet, Pattern: namespaces + "/{namespace}", Action: actionReadProviders, Handle: h.getProvider},
		{Method: http.MethodPost, Pattern: namespaces + "/{namespace}/register", Action: actionRegister, Display: registration("Register Subscription", "Registers a subscription for Cognitive Services."), Handle: h.registerProvider},
		{Method: http.MethodPost, Pattern: namespaces + "/{namespace}/unregister", Action: actionUnregister, Display: registration("Unregister Subscription", "Refused: all providers stay registered."), Handle: h.unregisterProvider},
	}
}

func display(resource, operation, description string) arm.Display {
	return arm.Display{Provider: "Microsoft Resources", Resource: resource, Operation: operation, Description: description}
}

func registration(operation, description string) arm.Display {
	return arm.Display{Provider: "Microsoft Cognitive Services", Resource: "Microsoft Cognitive Services", Operation: operation, Description: description}
}
