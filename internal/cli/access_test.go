package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	annID   = "aaaaaaaa-0000-0000-0000-000000000001"
	appID   = "bbbbbbbb-0000-0000-0000-000000000001"
	appOID  = "bbbbbbbb-0000-0000-0000-000000000002"
	teamID  = "cccccccc-0000-0000-0000-000000000001"
	reader  = "dddddddd-0000-0000-0000-000000000001"
	written = "eeeeeeee-0000-0000-0000-00000000000"
	rbac    = "/providers/Microsoft.Authorization/"
)

func roleRow(guid, name, kind string) string {
	return `{"id":"SUB` + rbac + `roleDefinitions/` + guid + `","name":"` + guid + `","type":"Microsoft.Authorization/roleDefinitions",
		"properties":{"roleName":"` + name + `","type":"` + kind + `","description":"d","assignableScopes":["/"],"permissions":[]}}`
}

func assignmentRow(n, scope, role, who, kind string) string {
	return `{"id":"` + scope + rbac + `roleAssignments/` + written + n + `","name":"` + written + n + `","type":"Microsoft.Authorization/roleAssignments",
		"properties":{"scope":"` + scope + `","roleDefinitionId":"SUB` + rbac + `roleDefinitions/` + role + `","principalId":"` + who + `","principalType":"` + kind + `"}}`
}

// accessScenarios are the Azure CLI's commands about roles and the directory.
func accessScenarios() []scenario {
	return append(roleScenarios(), directoryScenarios()...)
}

func roleScenarios() []scenario {
	reads := `200 {"value":[` + roleRow(reader, "Reader", "BuiltInRole") + `]}`
	assignments := `200 {"value":[` + assignmentRow("1", "SUB", reader, annID, "User") + `,` + assignmentRow("2", "SUB/resourceGroups/g", reader, teamID, "Group") + `,` +
		assignmentRow("3", "SUB", "dddddddd-0000-0000-0000-000000000009", appOID, "ServicePrincipal") + `]}`
	atGroup := `200 {"value":[` + assignmentRow("1", "SUB", reader, annID, "User") + `,` + assignmentRow("2", "SUB/resourceGroups/g", reader, teamID, "Group") + `]}`
	base := map[string]string{
		"GET /v1.0/users":                      `200 {"value":[{"id":"` + annID + `","userPrincipalName":"ann@twinkey.test"}]}`,
		"GET /v1.0/servicePrincipals":          `200 {"value":[]}`,
		"POST /v1.0/directoryObjects/getByIds": `200 {"value":[{"@odata.type":"#microsoft.graph.group","id":"` + teamID + `","displayName":"Team"},{"@odata.type":"#microsoft.graph.user","id":"` + annID + `","userPrincipalName":"ann@twinkey.test","displayName":"Ann"}]}`,
		"GET SUB" + rbac + "roleDefinitions":   reads, "GET SUB/resourceGroups/g" + rbac + "roleDefinitions": reads,
		"GET " + rbac + "roleDefinitions":                                      `200 {"value":[]}`,
		"PUT SUB/resourceGroups/g" + rbac + "roleAssignments/" + written + "7": "201 " + assignmentRow("7", "SUB/resourceGroups/g", reader, annID, "User"),
		"PUT SUB/resourceGroups/g" + rbac + "roleAssignments/" + written + "8": `409 {"error":{"code":"RoleAssignmentExists","message":"The role assignment already exists."}}`,
		"PUT SUB" + rbac + "roleAssignments/" + written + "8":                  `409 {"error":{"code":"RoleAssignmentExists","message":"The role assignment already exists."}}`,
		"GET SUB" + rbac + "roleAssignments":                                   assignments, "GET SUB/resourceGroups/g" + rbac + "roleAssignments": atGroup,
		"DELETE SUB" + rbac + "roleAssignments/" + written + "1": "200 {}", "DELETE SUB/resourceGroups/g" + rbac + "roleAssignments/" + written + "2": "204 ",
	}
	create := "role assignment create --role Reader "
	definition := `{"Name":"Rotator","Description":"d","Actions":["a/*"],"AssignableScopes":["SUB"]}`
	return []scenario{
		{"role-assignment-create", base, []string{
			create + "-g g --assignee ann@twinkey.test --name " + written + "7 --description why",
			create + "-g g --assignee " + teamID + " -n " + written + "8 --query [id,principalType] -o tsv",
			create + "--assignee " + teamID + " -n " + written + "8",
			create + "--assignee nobody",
			create + "--assignee no'body",
			"role assignment create --role Nonsense --scope / --assignee ann@twinkey.test",
			"role assignment create --role " + reader + " --assignee-object-id " + appOID + " --assignee-principal-type serviceprincipal -g g -n " + written + "7 -o none",
			"role assignment create --role SUB" + rbac + "roleDefinitions/" + reader + " --assignee-object-id " + appOID + " --scope SUB/resourceGroups/g/ -n " + written + "7 -o none",
			create,
			create + "--assignee a --assignee-object-id b",
			create + "--assignee a --assignee-principal-type User",
			create + "--assignee a --scope SUB -g g",
			create + "--assignee a --scope elsewhere/x",
			"role assignment create --assignee a",
		}},
		{"role-assignment-list", base, []string{
			"role assignment list --all -o table",
			"role assignment list --query [].principalName -o tsv",
			"role assignment list -g g -o table",
			"role assignment list -g g --include-inherited --query [].scope -o tsv",
			"role assignment list --scope SUB/resourcegroups/G --role Reader --query [].name -o tsv",
			"role assignment list --assignee ann@twinkey.test --all --query [0]",
			"role assignment list --assignee ann@twinkey.test --include-groups --all --query [].principalName -o tsv",
			"role assignment list --assignee-object-id " + appOID + " --query [].[principalName,roleDefinitionName] -o tsv",
			"role assignment list --all -g g",
			"role assignment list --scope /",
		}},
		{"role-assignment-delete", base, []string{
			"role assignment delete --assignee ann@twinkey.test",
			"role assignment delete -g g --role Reader",
			"role assignment delete --assignee-object-id " + annID + " -g g",
			"role assignment delete --ids SUB" + rbac + "roleAssignments/" + written + "1 SUB/resourceGroups/g" + rbac + "roleAssignments/" + written + "2",
			"role assignment delete --ids SUB" + rbac + "roleAssignments/..",
			"role assignment delete",
			"role assignment delete --yes --only-show-errors",
			"role assignment delete --yes --assignee ''",
			"role assignment delete --yes --ids",
			"role assignment delete --yes --ids ''",
		}},
		{"role-definition", map[string]string{
			"GET SUB" + rbac + "roleDefinitions":                     `200 {"value":[` + roleRow(reader, "Reader", "BuiltInRole") + `,` + roleRow(written+"5", "Rotator", "CustomRole") + `]}`,
			"DELETE SUB" + rbac + "roleDefinitions/" + written + "5": "200 {}",
		}, []string{
			"role definition list -o table",
			"role definition list --custom-role-only true --query [].roleName -o tsv",
			"role definition list -n rotator",
			"role definition list -n " + reader + " --query [].roleType -o tsv",
			"role definition delete -n Rotator",
			"role definition delete -n Rotators",
			"role definition delete",
			"role definition create --role-definition '" + definition + "'",
			"role definition create --role-definition '{}'",
			"role definition create --role-definition '{\"name\":\"x\"}'",
			"role definition create --role-definition '{\"name\":\"x\",\"assignableScopes\":[\"x\"]}'",
			"role definition create --role-definition '['",
			"role definition create --role-definition @nosuch.json",
		}},
	}
}

func directoryScenarios() []scenario {
	user := `{"@odata.context":"c","id":"` + annID + `","displayName":"Ann","userPrincipalName":"ann@twinkey.test","accountEnabled":true}`
	team := `{"id":"` + teamID + `","displayName":"Team","mailNickname":"team"}`
	app := `{"id":"` + appOID + `","appId":"` + appID + `","displayName":"rotator","accountEnabled":true,"passwordCredentials":[{"keyId":"k1","displayName":"rbac","secretText":null},{"keyId":"k2"}],"keyCredentials":[{"keyId":"cert"}]}`
	apps := map[string]string{
		"GET /v1.0/servicePrincipals": `200 {"value":[` + app + `]}`, "GET /v1.0/servicePrincipals/" + appOID: "200 " + app, "DELETE /v1.0/servicePrincipals/" + appOID: "204 ",
		"POST /v1.0/servicePrincipals/" + appOID + "/addPassword":    `200 {"keyId":"k3","secretText":"made-by-server"}`,
		"POST /v1.0/servicePrincipals/" + appOID + "/removePassword": "204 ",
	}
	return []scenario{
		{"ad-user", map[string]string{
			"POST /v1.0/users": "201 " + user, "GET /v1.0/users": `200 {"value":[` + user + `],"@odata.nextLink":"SERVER/v1.0/users?$skiptoken=x"}`,
			"GET /v1.0/users/ann@twinkey.test": "200 " + user, "PATCH /v1.0/users/ann@twinkey.test": "204 ", "DELETE /v1.0/users/ann@twinkey.test": "204 ", "GET /v1.0/me": "200 " + user,
			"GET /v1.0/users/nosuch": `404 {"error":{"code":"Request_ResourceNotFound","message":"Resource 'nosuch' does not exist."}}`,
		}, []string{
			"ad user create --display-name Ann --user-principal-name ann@twinkey.test --password -",
			"ad user create --display-name Ann --user-principal-name ann@twinkey.test --password p --mail-nickname a --force-change-password-next-sign-in true -o none",
			"ad user create --display-name Ann",
			"ad user show --id ann@twinkey.test -o table",
			"ad user show --id nosuch",
			"ad user update --id ann@twinkey.test --account-enabled false",
			"ad user update --id ann@twinkey.test --account-enabled true --display-name A --password -",
			"ad user delete --id ann@twinkey.test",
			"ad signed-in-user show --query id",
		}},
		{"ad-user-list", map[string]string{
			"GET /v1.0/users": `200 {"value":[` + user + `]}`, "GET /v1.0/groups": `200 {"value":[` + team + `],"@odata.nextLink":"SERVER/v1.0/more?$skiptoken=x"}`, "GET /v1.0/more": `200 {"value":[` + team + `]}`,
		}, []string{
			"ad user list -o table",
			"ad user list --upn ann@twinkey.test --display-name o'n --filter accountEnabled --query [].id -o tsv",
			"ad group list --query [].displayName -o tsv",
		}},
		{"ad-group", map[string]string{
			"GET /v1.0/groups": `200 {"value":[` + team + `]}`, "POST /v1.0/groups": "201 " + team, "GET /v1.0/groups/" + teamID: "200 " + team, "DELETE /v1.0/groups/" + teamID: "204 ",
			"GET /v1.0/groups/" + teamID + "/members":                       `200 {"value":[` + user + `]}`,
			"POST /v1.0/groups/" + teamID + "/members/$ref":                 "204 ",
			"DELETE /v1.0/groups/" + teamID + "/members/" + annID + "/$ref": "204 ",
		}, []string{
			"ad group create --display-name Team --mail-nickname team --query id",
			"ad group create --display-name Team --mail-nickname team --description 'what for' --force true -o none",
			"ad group list --display-name Te -o table",
			"ad group show -g Team --query id",
			"ad group member add -g " + teamID + " --member-id " + annID,
			"ad group member list --group Team -o table",
			"ad group member remove -g Team --member-id " + annID,
			"ad group member add -g Team",
			"ad group delete -g Team",
		}},
		{"ad-group-not-one", map[string]string{"GET /v1.0/groups": `200 {"value":[` + team + `,{"id":"other"}]}`, "GET /v1.0/servicePrincipals": `200 {"value":[]}`}, []string{
			"ad group delete -g Team", "ad sp delete --id rotator", "ad sp show --id " + appOID,
		}},
		{"ad-sp", apps, []string{
			"ad sp list --all -o table",
			"ad sp list --spn " + appID + " --display-name rot --query [].id -o tsv",
			"ad sp show --id " + appID + " --query displayName",
			"ad sp credential list --id " + appID + " --query [].keyId -o tsv",
			"ad sp credential list --id " + appID + " --cert --query [].keyId -o tsv",
			"ad sp credential reset --id " + appID,
			"ad sp credential reset --id " + appID + " --append --display-name new --end-date 2031-01-31 -o tsv --only-show-errors",
			"ad sp credential reset --id " + appID + " --years 2 --end-date 2031-01-31",
			"ad sp credential delete --id " + appID + " --key-id k1",
			"ad sp credential delete --id " + appID,
			"ad sp delete --id " + appID,
		}},
		{"ad-sp-create-for-rbac", map[string]string{
			"GET /v1.0/applications": `200 {"value":[]}`, "POST /v1.0/applications": "201 " + app, "POST /v1.0/applications/" + appOID + "/addPassword": `200 {"keyId":"k3","secretText":"made-by-server"}`,
			"POST /v1.0/servicePrincipals": "201 " + app, "GET SUB" + rbac + "roleDefinitions": `200 {"value":[` + roleRow(reader, "Reader", "BuiltInRole") + `]}`,
		}, []string{
			"ad sp create-for-rbac --name rotator",
			"ad sp create-for-rbac -o none",
			"ad sp create-for-rbac --display-name rotator --role Reader",
			"ad sp create-for-rbac --name rotator --scopes SUB",
			"ad sp create-for-rbac --name rotator --role Reader --scopes SUB nowhere",
			"ad sp create-for-rbac --name rotator --role Nonsense --scopes SUB/resourceGroups/nosuch",
		}},
		{"ad-sp-create-for-rbac-again", map[string]string{
			"GET /v1.0/applications": `200 {"value":[` + app + `]}`, "POST /v1.0/applications/" + appOID + "/removePassword": "204 ", "POST /v1.0/applications/" + appOID + "/addPassword": `200 {"secretText":"made-by-server"}`,
			"POST /v1.0/servicePrincipals": "201 " + app,
		}, []string{"ad sp create-for-rbac --name rotator -o tsv"}},
	}
}

// If this fails, a new application gets its secret but not its role, or the
// role at some scopes alone, without anybody being told.
func TestCreateForRBACGivesTheRole(t *testing.T) {
	s := newServer(t)
	s.on("GET /v1.0/applications", reply(200, `{"value":[]}`))
	s.on("POST /v1.0/applications", reply(201, `{"id":"`+appOID+`","appId":"`+appID+`","displayName":"r"}`))
	s.on("POST /v1.0/applications/"+appOID+"/addPassword", reply(200, `{"secretText":"made-by-server"}`))
	s.on("POST /v1.0/servicePrincipals", reply(201, `{"id":"`+appOID+`","appId":"`+appID+`"}`))
	puts := newPuts(s)
	u := loggedIn(t, s)
	sub := "/subscriptions/" + subDev
	got := u.run("ad", "sp", "create-for-rbac", "-n", "r", "--role", reader, "--scopes", sub, sub+"/resourceGroups/g", "-o", "tsv", "--only-show-errors")
	u.want(got, 0, appID+"\tr\tmade-by-server\t"+tenant+"\n", "")
	if len(*puts) != 2 {
		t.Errorf("gave %v", *puts)
	}
	if again := u.run("ad", "sp", "create-for-rbac", "-n", "r", "--role", reader, "--scopes", sub+"/resourceGroups/refused"); again.code != 1 || again.stdout != "" {
		t.Errorf("%+v", again)
	}
}

// If this fails, a role that a file describes is another one than in the file.
func TestRoleDefinitionFromFile(t *testing.T) {
	s := newServer(t)
	puts := newPuts(s)
	u := loggedIn(t, s)
	path := filepath.Join(t.TempDir(), "role.json")
	sub := "/subscriptions/" + subDev
	text := `{"Name":"R","AssignableScopes":["` + sub + `/resourceGroups/g"],"DataActions":["d"],"NotActions":["n"]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{path, "@" + path} {
		if got := u.run("role", "definition", "create", "--role-definition", arg); got.code != 0 {
			t.Fatalf("%+v", got)
		}
	}
	want := `{"properties":{"assignableScopes":["` + sub + `/resourceGroups/g"],"description":"","permissions":[{"actions":[],"dataActions":["d"],"notActions":["n"],"notDataActions":[]}],"roleName":"R","type":"CustomRole"}}`
	if len(*puts) != 2 || (*puts)[0] != want || (*puts)[1] != want {
		t.Errorf("sent %q", *puts)
	}
}

// If this fails, a password that is given or generated ends up on a screen that
// it was not asked for on: in an error that repeats it, or in --debug.
func TestPasswordsAreNotShown(t *testing.T) {
	s := newServer(t)
	var sent []string
	s.otherwise = func(w http.ResponseWriter, r *http.Request) {
		_, body := s.last()
		var asked struct{ PasswordProfile struct{ Password string } }
		if err := json.Unmarshal([]byte(body), &asked); err != nil {
			t.Error(err)
		}
		sent = append(sent, asked.PasswordProfile.Password)
		reply(400, `{"error":{"code":"Request_BadRequest","message":"no good: `+asked.PasswordProfile.Password+`"}}`)(w, r)
	}
	u := loggedIn(t, s)
	for _, line := range []string{
		"ad user create --display-name A --user-principal-name a@b --password tr0ub4dor-one",
		"ad user update --id a@b --password tr0ub4dor-two",
		"admin user create a@b",
		"admin user reset-password a@b",
	} {
		got := u.run(append(command(line), "--debug")...)
		if password := sent[len(sent)-1]; len(password) < 10 || got.code != 1 || strings.Contains(got.stdout+got.stderr, password) || !strings.Contains(got.stderr, "no good: [secret]") {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if len(sent) != 4 || sent[2] == sent[3] {
		t.Errorf("sent %q", sent)
	}
}
