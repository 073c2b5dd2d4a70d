package cli

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/spf13/cobra"
)

func newRole(s *session) *cobra.Command {
	assignment := branch(&cobra.Command{Use: "assignment", Short: "Manage who has which role where."},
		newAssignmentCreate(s), newAssignmentList(s), newAssignmentDelete(s))
	definition := branch(&cobra.Command{Use: "definition", Short: "Manage what a role allows."},
		newDefinitionList(s), newDefinitionCreate(s), newDefinitionDelete(s))
	return branch(&cobra.Command{Use: "role", Short: "Manage access: roles and who has them."}, assignment, definition)
}

// roleFlag adds the option that names a role.
func roleFlag(c *cobra.Command, role *name, usage string) {
	c.Flags().Var(role, "role", usage)
	markFlag(c, "role", offerMark, offerRole)
}

// roleID finds a role by its ID, its GUID or its name at a scope.
func (c *connection) roleID(ctx context.Context, role, scope string) (string, error) {
	if regexp.MustCompile(`(?i)/providers/Microsoft\.Authorization/roleDefinitions/`).MatchString(role) {
		return role, nil
	}
	if twinkey.IsGUID(role) {
		return subscriptionScope(c) + "/providers/Microsoft.Authorization/roleDefinitions/" + role, nil
	}
	r := c.authorization(http.MethodGet, scope, roleDefinitions)
	r.Query = url.Values{"$filter": {"roleName eq " + quoted(role)}}
	found, err := c.list(ctx, r)
	if err != nil {
		return "", err
	}
	ids := namesIn(found, "id")
	switch len(ids) {
	case 0:
		return "", twinkey.Errorf(twinkey.Invalid, "Role '%s' doesn't exist.", twinkey.Printable(role, 100))
	case 1:
		return ids[0], nil
	}
	return "", twinkey.Errorf(twinkey.Invalid, "More than one role matches the given name '%s'. Please pick a value from '%s'", twinkey.Printable(role, 100), strings.Join(ids, "', '"))
}

// sameRole compares IDs of role definitions: a definition has one GUID, and an ID
// for every scope it is seen from.
func sameRole(a, b string) bool { return strings.EqualFold(lastSegment(a), lastSegment(b)) }

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// flat lifts the fields in an element's properties up, as the Azure CLI prints
// roles and assignments; a field that is there already is called as renamed
// says.
func flat(element any, renamed map[string]string) any {
	object, ok := element.(map[string]any)
	if !ok {
		return element
	}
	properties, _ := object["properties"].(map[string]any)
	delete(object, "properties")
	for field, value := range properties {
		if other := renamed[field]; other != "" {
			field = other
		}
		object[field] = value
	}
	return object
}

func flatAll(list []any, renamed map[string]string) []any {
	flattened := []any{}
	for _, row := range list {
		flattened = append(flattened, flat(row, renamed))
	}
	return flattened
}
