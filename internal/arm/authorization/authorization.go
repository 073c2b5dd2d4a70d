// Package authorization is ARM's routes for who may do what
// (Microsoft.Authorization): role assignments, role definitions, and the
// caller's own permissions, at the tenant root, subscriptions, resource groups
// and accounts.
//
// It refuses to decide or store anything: package accounts does both.
package authorization

import (
	"net/http"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
)

// Config is what the routes need; every field is required.
type Config struct {
	Service *accounts.Service
}

// handlers answers the calls.
type handlers struct {
	service *accounts.Service
}

// provider begins the path of everything here, below a scope.
const provider = "/providers/Microsoft.Authorization"

// Routes is the table of this package.
func Routes(config Config) []arm.Route {
	h := &handlers{service: config.Service}
	var routes []arm.Route
	for _, scope := range []string{"", arm.SubscriptionPath, arm.GroupPath, arm.AccountPath} {
		assignments, definitions := scope+provider+"/roleAssignments", scope+provider+"/roleDefinitions"
		routes = append(routes,
			arm.Route{Method: http.MethodGet, Pattern: assignments, Action: accounts.ActionReadAssignment, Display: display("Role Assignment", "Get Role Assignments", "Gets or lists role assignments."), Handle: h.listAssignments},
			arm.Route{Method: http.MethodGet, Pattern: assignments + "/{assignment}", Action: accounts.ActionReadAssignment, Handle: h.getAssignment},
			arm.Route{Method: http.MethodPut, Pattern: assignments + "/{assignment}", Action: accounts.ActionWriteAssignment, Display: display("Role Assignment", "Create Role Assignment", "Gives a principal a role at a scope."), Handle: h.putAssignment},
			arm.Route{Method: http.MethodDelete, Pattern: assignments + "/{assignment}", Action: accounts.ActionDeleteAssignment, Display: display("Role Assignment", "Delete Role Assignment", "Takes a role at a scope from a principal."), Handle: h.deleteAssignment},

			arm.Route{Method: http.MethodGet, Pattern: definitions, Action: accounts.ActionReadRole, Display: display("Role Definition", "Get Role Definitions", "Gets or lists role definitions."), Handle: h.listDefinitions},
			arm.Route{Method: http.MethodGet, Pattern: definitions + "/{role}", Action: accounts.ActionReadRole, Handle: h.getDefinition},
			arm.Route{Method: http.MethodPut, Pattern: definitions + "/{role}", Action: accounts.ActionWriteRole, Display: display("Role Definition", "Create Or Update Custom Role", "Creates or changes a custom role."), Handle: h.putDefinition},
			arm.Route{Method: http.MethodDelete, Pattern: definitions + "/{role}", Action: accounts.ActionDeleteRole, Display: display("Role Definition", "Delete Custom Role", "Deletes a custom role."), Handle: h.deleteDefinition},

			arm.Route{Method: http.MethodGet, Pattern: scope + provider + "/permissions", Handle: h.listPermissions},
		)
	}
	return routes
}

func display(resource, operation, description string) arm.Display {
	return arm.Display{Provider: "Microsoft Authorization", Resource: resource, Operation: operation, Description: description}
}

// below is the id of something of this provider at a scope; the root's own path
// is empty.
func below(scope twinkey.ResourceID, kind, name string) string {
	return strings.TrimSuffix(scope.String(), "/") + provider + "/" + kind + "/" + name
}

// timestamp is a moment on the wire, null for the zero time.
func timestamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format("2006-01-02T15:04:05.0000000Z")
	return &s
}

// orNull is a text on the wire, or null for none.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
