// Package access answers one question: may this principal do this action at
// this scope, given these role assignments? It is Azure's role-based access
// control: additive roles, wildcards in actions, exceptions by notActions,
// inheritance from scope to everything below, and Azure's built-in roles.
//
// It refuses to know anything else: it stores nothing, looks nobody up and has
// no deny assignments. It does not evaluate conditions, so what a role grants
// only under a condition it does not grant at all. Whatever it does not
// understand - an unknown role, a malformed scope, an empty id - grants nothing.
package access

import (
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
)

// Roles looks a role up by its GUID.
type Roles = func(id string) (Role, bool)

// Allow reports whether who may do a control-plane action, such as
// "Microsoft.CognitiveServices/accounts/read", at scope (Azure RBAC
// documentation, "Understand Azure role definitions", "Actions" and
// "NotActions"): some assignment to the principal or to one of its groups, at
// the scope or around it, has a role with a permission that names the action
// and does not except it.
func Allow(who twinkey.Principal, action string, scope twinkey.ResourceID, assignments []Assignment, roles Roles) bool {
	return allow(who, scope, assignments, roles, func(p Permission) bool {
		return matchesAny(p.Actions, action) && !matchesAny(p.NotActions, action) && !matchesAny(p.Conditional, action)
	})
}

// AllowData is Allow for data actions: what is done with a service rather than
// to it. The two never stand in for each other; even Owner has no data actions.
func AllowData(who twinkey.Principal, action string, scope twinkey.ResourceID, assignments []Assignment, roles Roles) bool {
	return allow(who, scope, assignments, roles, func(p Permission) bool {
		return matchesAny(p.DataActions, action) && !matchesAny(p.NotDataActions, action)
	})
}

// Held returns what who is granted at scope: the permissions of every role that
// some assignment there or around it gives, each role once.
func Held(who twinkey.Principal, scope twinkey.ResourceID, assignments []Assignment, roles Roles) []Permission {
	var held []Permission
	seen := map[string]bool{}
	for _, a := range assignments {
		id := strings.ToLower(a.RoleID)
		if !wellFormed(scope) || seen[id] || !a.concerns(who) || !wellFormed(a.Scope) || !a.Scope.Contains(scope) {
			continue
		}
		seen[id] = true
		if role, ok := roles(a.RoleID); ok {
			held = append(held, role.Permissions...)
		}
	}
	return held
}

func allow(who twinkey.Principal, scope twinkey.ResourceID, assignments []Assignment, roles Roles, grants func(Permission) bool) bool {
	if !wellFormed(scope) {
		return false
	}
	for _, a := range assignments {
		if !a.concerns(who) || !wellFormed(a.Scope) || !a.Scope.Contains(scope) {
			continue
		}
		if role, ok := roles(a.RoleID); ok && slices.ContainsFunc(role.Permissions, grants) {
			return true
		}
	}
	return false
}

// wellFormed refuses an id with a gap: an account or a group with nothing
// around it would otherwise read as the root.
func wellFormed(id twinkey.ResourceID) bool {
	return (id.Account == "" || id.Group != "") && (id.Group == "" || id.Subscription != "")
}

func matchesAny(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, action) })
}

// matches compares without case; "*" stands for any run of characters, slashes
// included. An empty action is none at all.
func matches(pattern, action string) bool {
	if action == "" {
		return false
	}
	// After a mismatch only the last star has to take one character more: what
	// an earlier star could take instead, the last one can take too.
	p, a, star, mark := 0, 0, -1, 0
	for a < len(action) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, a
			p++
		case p < len(pattern) && lower(pattern[p]) == lower(action[a]):
			p++
			a++
		case star >= 0:
			mark++
			p, a = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// lower folds ASCII, all that actions are made of.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
