// Package cognitive is ARM's routes for accounts and their keys
// (Microsoft.CognitiveServices).
//
// It refuses to decide or store anything, which package accounts does, and to
// let a key out by any way but the two answers that are there to show keys.
package cognitive

import (
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/catalog"
)

// The actions this package asks about itself (Microsoft.CognitiveServices
// provider operations).
const (
	actionReadSKUs        = twinkey.Provider + "/skus/read"
	actionReadAccountSKUs = twinkey.Provider + "/accounts/skus/read"
	actionReadUsages      = twinkey.Provider + "/accounts/usages/read"
	actionCheckSKU        = twinkey.Provider + "/locations/checkSkuAvailability/action"
	actionReadDeleted     = twinkey.Provider + "/deletedAccounts/read"
	actionReadOneDeleted  = twinkey.Provider + "/locations/resourceGroups/deletedAccounts/read"
	actionPurge           = twinkey.Provider + "/locations/resourceGroups/deletedAccounts/delete"
)

// Config is what the routes need; every field is required.
type Config struct {
	Service  *accounts.Service
	Catalog  func() *catalog.Catalog       // the one in force now
	Endpoint func(subdomain string) string // where clients reach an account at the gateway; "" is one without a sub-domain
}

// handlers answers the calls.
type handlers struct {
	service  *accounts.Service
	catalog  func() *catalog.Catalog
	endpoint func(subdomain string) string
}

// Routes is the table of this package.
func Routes(config Config) []arm.Route {
	h := &handlers{service: config.Service, catalog: config.Catalog, endpoint: config.Endpoint}
	const below = "/providers/" + twinkey.Provider
	const place = arm.SubscriptionPath + below + "/locations/{location}"
	const deleted = place + "/resourceGroups/{deletedGroup}/deletedAccounts/{deletedAccount}"
	routes := []arm.Route{
		{Method: http.MethodGet, Pattern: arm.AccountPath, Action: accounts.ActionRead, Display: display("Read API Account", "Reads API accounts."), Handle: h.get},
		{Method: http.MethodGet, Pattern: arm.GroupPath + below + "/accounts", Action: accounts.ActionRead, Handle: h.list},
		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + below + "/accounts", Action: accounts.ActionRead, Handle: h.list},
		{Method: http.MethodPut, Pattern: arm.AccountPath, Action: accounts.ActionWrite, Display: display("Write API Account", "Writes API Accounts."), Handle: h.put},
		{Method: http.MethodPatch, Pattern: arm.AccountPath, Action: accounts.ActionWrite, Handle: h.patch},
		{Method: http.MethodDelete, Pattern: arm.AccountPath, Action: accounts.ActionDelete, Display: display("Delete API Account", "Deletes API accounts"), Handle: h.delete},
		{Method: http.MethodPost, Pattern: arm.AccountPath + "/listKeys", Action: accounts.ActionListKeys, Display: display("List Keys", "List keys"), Handle: h.listKeys},
		{Method: http.MethodPost, Pattern: arm.AccountPath + "/regenerateKey", Action: accounts.ActionRegenerate, Display: display("Regenerate Key", "Regenerate Key"), Handle: h.regenerateKey},
		{Method: http.MethodGet, Pattern: arm.AccountPath + "/skus", Action: actionReadAccountSKUs, Display: display("Read Account SKUs", "Reads the SKUs available for an account."), Handle: h.listAccountSKUs},
		{Method: http.MethodGet, Pattern: arm.AccountPath + "/usages", Action: actionReadUsages, Display: display("Read Account Usages", "Reads the quota usage of an account."), Handle: h.noneOfAccount(actionReadUsages)},

		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + below + "/skus", Action: actionReadSKUs, Display: describe("SKUs", "Read SKUs", "Reads the SKUs there are."), Handle: h.listSKUs},
		{Method: http.MethodPost, Pattern: place + "/checkSkuAvailability", Action: actionCheckSKU, Display: describe("SKUs", "Check SKU Availability", "Checks which SKUs an account could have in a location."), Handle: h.checkSKUs},
		{Method: http.MethodPost, Pattern: arm.SubscriptionPath + below + "/checkDomainAvailability", Action: accounts.ActionCheckSubDomain, Display: describe("Sub-domains", "Check Sub-domain Availability", "Checks whether an account could have a sub-domain."), Handle: h.checkSubDomain},

		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + below + "/deletedAccounts", Action: actionReadDeleted, Display: describe("Deleted accounts", "Read Deleted Accounts", "Lists the deleted accounts that are kept."), Handle: h.noneOfSubscription(actionReadDeleted)},
		{Method: http.MethodGet, Pattern: deleted, Action: actionReadOneDeleted, Display: describe("Deleted accounts", "Read Deleted Account", "Reads a deleted account that is kept."), Handle: h.getDeleted},
		{Method: http.MethodDelete, Pattern: deleted, Action: actionPurge, Display: describe("Deleted accounts", "Purge Deleted Account", "Removes a deleted account for good."), Handle: h.purge},
	}
	for _, n := range nothings() {
		route := arm.Route{Method: http.MethodGet, Action: n.action(), Display: describe(n.resource, "Read "+n.resource, "Reads "+n.resource+"; there are none.")}
		if route.Pattern, route.Handle = arm.AccountPath+"/"+n.segment, h.noneOfAccount(n.action()); n.inLocation {
			route.Pattern, route.Handle = place+"/"+n.segment, h.noneOfSubscription(n.action())
		}
		routes = append(routes, route)
	}
	return routes
}

const providerName = "Microsoft Cognitive Services"

func display(operation, description string) arm.Display {
	return describe("Cognitive Services API Account", operation, description)
}

func describe(resource, operation, description string) arm.Display {
	return arm.Display{Provider: providerName, Resource: resource, Operation: operation, Description: description}
}
