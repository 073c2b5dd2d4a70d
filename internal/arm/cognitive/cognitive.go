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
	return []arm.Route{
		{Method: http.MethodGet, Pattern: arm.AccountPath, Action: accounts.ActionRead, Display: display("Read API Account", "Reads API accounts."), Handle: h.get},
		{Method: http.MethodGet, Pattern: arm.GroupPath + below + "/accounts", Action: accounts.ActionRead, Handle: h.list},
		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + below + "/accounts", Action: accounts.ActionRead, Handle: h.list},
		{Method: http.MethodPut, Pattern: arm.AccountPath, Action: accounts.ActionWrite, Display: display("Write API Account", "Writes API Accounts."), Handle: h.put},
		{Method: http.MethodDelete, Pattern: arm.AccountPath, Action: accounts.ActionDelete, Display: display("Delete API Account", "Deletes API accounts"), Handle: h.delete},
		{Method: http.MethodPost, Pattern: arm.AccountPath + "/listKeys", Action: accounts.ActionListKeys, Display: display("List Keys", "List keys"), Handle: h.listKeys},
		{Method: http.MethodPost, Pattern: arm.AccountPath + "/regenerateKey", Action: accounts.ActionRegenerate, Display: display("Regenerate Key", "Regenerate Key"), Handle: h.regenerateKey},
		{Method: http.MethodGet, Pattern: arm.AccountPath + "/skus", Action: actionReadAccountSKUs, Display: display("Read Account SKUs", "Reads the SKUs available for an account."), Handle: h.listAccountSKUs},
		{Method: http.MethodGet, Pattern: arm.AccountPath + "/usages", Action: actionReadUsages, Display: display("Read Account Usages", "Reads the quota usage of an account."), Handle: h.listUsages},
		{Method: http.MethodGet, Pattern: arm.SubscriptionPath + below + "/skus", Action: actionReadSKUs, Display: arm.Display{Provider: providerName, Resource: "SKUs", Operation: "Read SKUs", Description: "Reads the SKUs there are."}, Handle: h.listSKUs},
	}
}

const providerName = "Microsoft Cognitive Services"

func display(operation, description string) arm.Display {
	return arm.Display{Provider: providerName, Resource: "Cognitive Services API Account", Operation: operation, Description: description}
}
