package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	twinkey "github.com/twinkey/twinkey"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

func definitionView() view {
	return view{
		fields: []string{"assignableScopes", "createdBy", "createdOn", "description", "id", "name", "permissions", "roleName", "roleType", "type", "updatedBy", "updatedOn"},
		columns: []column{
			{"Name", []string{"roleName"}}, {"Type", []string{"roleType"}}, {"Description", []string{"description"}},
		},
	}
}

// definitionFields are the fields of a definition that have another name where
// they are printed: type is the resource's.
func definitionFields() map[string]string { return map[string]string{"type": "roleType"} }

type definitionOptions struct {
	scopeOptions
	name   text
	custom choice
}

func (o *definitionOptions) register(c *cobra.Command) {
	o.scopeOptions.register(c)
	o.custom = truth()
	c.Flags().VarP(&o.name, "name", "n", "The role's `name` or GUID.")
	c.Flags().Var(&o.custom, "custom-role-only", "Whether to leave out the built-in roles: `true or false`.")
	markFlag(c, "name", offerMark, offerRole)
}

// find lists the definitions that are meant, as they are sent.
func (o *definitionOptions) find(ctx context.Context, conn *connection) (found []any, scope string, err error) {
	if scope, err = o.resolve(conn); err != nil {
		return nil, "", err
	}
	all, err := conn.list(ctx, conn.authorization(http.MethodGet, scope, roleDefinitions))
	if err != nil {
		return nil, "", err
	}
	text := func(definition any, path ...string) string { s, _ := at(definition, path).(string); return s }
	for _, definition := range all {
		named := o.name == "" || strings.EqualFold(text(definition, "name"), string(o.name)) || strings.EqualFold(text(definition, "properties", "roleName"), string(o.name))
		if named && (o.custom.value != "true" || text(definition, "properties", "type") == "CustomRole") {
			found = append(found, definition)
		}
	}
	return found, scope, nil
}

func newDefinitionList(s *session) *cobra.Command {
	o := &definitionOptions{}
	c := &cobra.Command{
		Use: "list", Short: "List the roles that can be given.",
		Example: `twinkey role definition list --output table
List the roles.
twinkey role definition list --name "Cognitive Services User"
Show what one role allows.`,
	}
	o.register(c)
	return s.online(c, nil, definitionView(), func(ctx context.Context, conn *connection) (any, error) {
		found, _, err := o.find(ctx, conn)
		return flatAll(found, definitionFields()), err
	})
}

func newDefinitionCreate(s *session) *cobra.Command {
	var definition text
	c := &cobra.Command{
		Use: "create", Short: "Make a role of your own.",
		Example: `twinkey role definition create --role-definition '{"Name": "Key Rotator", "Description": "Lists and regenerates keys.", "Actions": ["Microsoft.CognitiveServices/accounts/read", "Microsoft.CognitiveServices/accounts/listKeys/action", "Microsoft.CognitiveServices/accounts/regenerateKey/action"], "AssignableScopes": ["/subscriptions/SUBSCRIPTION-ID"]}'
Make a role that may rotate keys and nothing else.
twinkey role definition create --role-definition @role.json
Make a role that a file describes.`,
	}
	c.Flags().Var(&definition, "role-definition", "`JSON` with Name, Description, Actions, NotActions, DataActions, NotDataActions, AssignableScopes; or a file that holds it.")
	return s.online(c, []string{"role-definition"}, definitionView(), func(ctx context.Context, conn *connection) (any, error) {
		role, err := readRole(string(definition))
		if err != nil {
			return nil, err
		}
		r := conn.authorization(http.MethodPut, role.AssignableScopes[0], roleDefinitions, uuid.NewString())
		r.Body = role.body()
		created, _, err := conn.object(ctx, r)
		return flat(created, definitionFields()), err
	})
}

// customRole is a role as the Azure CLI's users describe it. Names of fields are
// read in any case.
type customRole struct {
	Name             string   `json:"name"`
	Description      string   `json:"description"`
	Actions          []string `json:"actions"`
	NotActions       []string `json:"notActions"`
	DataActions      []string `json:"dataActions"`
	NotDataActions   []string `json:"notDataActions"`
	AssignableScopes []string `json:"assignableScopes"`
}

// readRole reads a role from JSON, from a file, or from a file named after @.
func readRole(text string) (*customRole, error) {
	source := []byte(text)
	path, isFile := strings.CutPrefix(text, "@")
	if _, err := os.Stat(path); err == nil || isFile {
		if source, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading the role definition: %w", err)
		}
	}
	var role customRole
	if err := json.Unmarshal(source, &role); err != nil {
		return nil, twinkey.Wrap(err, twinkey.Invalid, "Invalid role definition. A valid dictionary JSON representation is expected.")
	}
	if role.Name == "" {
		return nil, twinkey.Errorf(twinkey.Invalid, "please provide role name")
	}
	if len(role.AssignableScopes) == 0 {
		return nil, twinkey.Errorf(twinkey.Invalid, "please provide 'assignableScopes'")
	}
	for i, scope := range role.AssignableScopes {
		checked, err := checkScope(scope)
		if err != nil {
			return nil, err
		}
		role.AssignableScopes[i] = checked
	}
	return &role, nil
}

func (role *customRole) body() map[string]any {
	some := func(actions []string) []string {
		if actions == nil {
			return []string{}
		}
		return actions
	}
	return map[string]any{"properties": map[string]any{
		"roleName": role.Name, "description": role.Description, "type": "CustomRole", "assignableScopes": role.AssignableScopes,
		"permissions": []any{map[string]any{
			"actions": some(role.Actions), "notActions": some(role.NotActions),
			"dataActions": some(role.DataActions), "notDataActions": some(role.NotDataActions),
		}},
	}}
}

func newDefinitionDelete(s *session) *cobra.Command {
	o := &definitionOptions{}
	c := &cobra.Command{
		Use: "delete", Short: "Delete a role of your own.",
		Example: "twinkey role definition delete --name \"Key Rotator\"\nDelete a role that nobody has any more.",
	}
	o.register(c)
	return s.online(c, []string{"name"}, view{}, func(ctx context.Context, conn *connection) (any, error) {
		found, scope, err := o.find(ctx, conn)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, twinkey.Errorf(twinkey.NotFound, "No definition was found with the name of \"%s\"", twinkey.Printable(string(o.name), 100))
		}
		for _, id := range namesIn(found, "id") {
			if _, err := conn.do(ctx, conn.authorization(http.MethodDelete, scope, roleDefinitions, lastSegment(id))); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}
