package cli_test

import (
	"strings"
	"testing"
)

// If this fails, scripts written for the Azure CLI read the keys wrong.
func TestKeysOutputIsExact(t *testing.T) {
	u := loggedIn(t, newServer(t))
	json := "{\n  \"key1\": \"" + key1 + "\",\n  \"key2\": \"" + key2 + "\"\n}\n"
	yaml := "key1: " + key1 + "\nkey2: " + key2 + "\n"
	table := "Key1                              Key2\n" +
		"--------------------------------  --------------------------------\n" + key1 + "  " + key2 + "\n"
	for _, tt := range []struct {
		options []string
		want    string
	}{
		{nil, json},
		{[]string{"-o", "json"}, json},
		{[]string{"--output", "JSON"}, json},
		{[]string{"-o", "jsonc"}, json}, // no color where no terminal is
		{[]string{"-o", "yaml"}, yaml},
		{[]string{"-oyamlc"}, yaml},
		{[]string{"-o=tsv"}, key1 + "\t" + key2 + "\n"},
		{[]string{"-o", "table"}, table},
		{[]string{"-o", "none"}, ""},
		{[]string{"--query", "key1", "-o", "tsv"}, key1 + "\n"},
		{[]string{"--query", "key1"}, "\"" + key1 + "\"\n"},
		{[]string{"--query", "key1", "-o", "yaml"}, key1 + "\n...\n"},
		{[]string{"--query", "key1", "-o", "table"}, "Result\n--------------------------------\n" + key1 + "\n"},
		{[]string{"--query", "{Second:key2,First:key1}", "-o", "tsv"}, key2 + "\t" + key1 + "\n"},
		{[]string{"--query", "[key2,key1]", "-o", "tsv"}, key2 + "\n" + key1 + "\n"},
		{[]string{"--query", "nosuch"}, ""},
		{[]string{"--query", "length(@)", "-o", "tsv"}, "2\n"},
	} {
		t.Run(strings.Join(tt.options, " "), func(t *testing.T) {
			u.t = t
			u.want(u.run(command("cognitiveservices account keys list", append(keysOf, tt.options...)...)...), 0, tt.want, "")
		})
	}
}

const accounts = `{"value":[
	{"id":"` + account + `","name":"myMultiCogService","type":"Microsoft.CognitiveServices/accounts","location":"westus","kind":"CognitiveServices",
	 "etag":"\"1\"","sku":{"name":"S0"},"tags":{},"properties":{"endpoint":"https://h/?a=1&b=<2>","callRateLimit":{"rules":[]},"n":5000.0,"isMigrated":true,"note":"line\nbreak","privateEndpointConnections":[{"id":"` + account + `/privateEndpointConnections/p"}]}},
	{"id":"/subscriptions/s/resourcegroups/other/providers/p/accounts/b","name":"b","location":"eastus","kind":"TextAnalytics","resourceGroup":"kept","tags":{"on":"yes","né":"12"}}]}`

// If this fails, accounts print otherwise than with the Azure CLI: fields that
// are absent there, the resource group, characters escaped that it does not.
func TestAccountListOutputIsExact(t *testing.T) {
	s := newServer(t)
	s.on("GET /subscriptions/"+subDev+"/providers/Microsoft.CognitiveServices/accounts", reply(200, accounts))
	u := loggedIn(t, s)
	for format, want := range map[string]string{
		"table": `Kind               Location    Name               ResourceGroup
-----------------  ----------  -----------------  --------------------
CognitiveServices  westus      myMultiCogService  cog-services-staging
TextAnalytics      eastus      b                  kept
`,
		"tsv": "\"1\"\t" + account + "\tNone\tCognitiveServices\twestus\tmyMultiCogService\t\tcog-services-staging\t\tNone\t\tMicrosoft.CognitiveServices/accounts\n" +
			"None\t/subscriptions/s/resourcegroups/other/providers/p/accounts/b\tNone\tTextAnalytics\teastus\tb\tNone\tkept\tNone\tNone\t\tNone\n",
		"json": `[
  {
    "etag": "\"1\"",
    "id": "` + account + `",
    "identity": null,
    "kind": "CognitiveServices",
    "location": "westus",
    "name": "myMultiCogService",
    "properties": {
      "callRateLimit": {
        "rules": []
      },
      "endpoint": "https://h/?a=1&b=<2>",
      "isMigrated": true,
      "n": 5000.0,
      "note": "line\nbreak",
      "privateEndpointConnections": [
        {
          "id": "` + account + `/privateEndpointConnections/p",
          "resourceGroup": "cog-services-staging"
        }
      ]
    },
    "resourceGroup": "cog-services-staging",
    "sku": {
      "name": "S0"
    },
    "systemData": null,
    "tags": {},
    "type": "Microsoft.CognitiveServices/accounts"
  },
  {
    "etag": null,
    "id": "/subscriptions/s/resourcegroups/other/providers/p/accounts/b",
    "identity": null,
    "kind": "TextAnalytics",
    "location": "eastus",
    "name": "b",
    "properties": null,
    "resourceGroup": "kept",
    "sku": null,
    "systemData": null,
    "tags": {
      "né": "12",
      "on": "yes"
    },
    "type": null
  }
]
`,
		"yaml": `- etag: '"1"'
  id: ` + account + `
  identity: null
  kind: CognitiveServices
  location: westus
  name: myMultiCogService
  properties:
    callRateLimit:
      rules: []
    endpoint: https://h/?a=1&b=<2>
    isMigrated: true
    n: 5000.0
    note: 'line

      break'
    privateEndpointConnections:
    - id: ` + account + `/privateEndpointConnections/p
      resourceGroup: cog-services-staging
  resourceGroup: cog-services-staging
  sku:
    name: S0
  systemData: null
  tags: {}
  type: Microsoft.CognitiveServices/accounts
- etag: null
  id: /subscriptions/s/resourcegroups/other/providers/p/accounts/b
  identity: null
  kind: TextAnalytics
  location: eastus
  name: b
  properties: null
  resourceGroup: kept
  sku: null
  systemData: null
  tags:
    né: '12'
    'on': 'yes'
  type: null
`,
	} {
		t.Run(format, func(t *testing.T) {
			u.t = t
			u.want(u.run("cognitiveservices", "account", "list", "-o", format), 0, want, "")
		})
	}
}

// If this fails, --query gives columns in another order than it names them, or
// changes numbers.
func TestQueriesOverLists(t *testing.T) {
	s := newServer(t)
	s.on("GET /subscriptions/"+subDev+"/providers/Microsoft.CognitiveServices/accounts", reply(200, accounts))
	u := loggedIn(t, s)
	for _, tt := range []struct{ format, query, want string }{
		{"tsv", "[].name", "myMultiCogService\nb\n"},
		{"tsv", "[?location=='eastus'].[name,kind]", "b\tTextAnalytics\n"},
		{"tsv", "[].{z:name,a:location,\"m:n\":kind}", "myMultiCogService\twestus\tCognitiveServices\nb\teastus\tTextAnalytics\n"},
		{"tsv", "[0].properties.n", "5000.0\n"},
		{"tsv", "[?properties.n>`4999`].name", "myMultiCogService\n"},
		{"tsv", "[0].properties.isMigrated", "true\n"},
		{"tsv", "[0].[properties.isMigrated,tags,identity]", "true\n\nNone\n"},
		{"tsv", "[].[properties.isMigrated,tags,identity]", "True\t\tNone\nNone\t\tNone\n"},
		{"table", "[].{Zone:location,Name:name}", "Zone    Name\n------  -----------------\nwestus  myMultiCogService\neastus  b\n"},
		{"table", "[].[name,identity]", "Column1            Column2\n-----------------  ---------\nmyMultiCogService\nb\n"},
		{"table", "[?name=='nosuch']", "\n"},
		{"json", "[].{b:name,a:location}[0]", "{\n  \"a\": \"westus\",\n  \"b\": \"myMultiCogService\"\n}\n"},
		{"json", "[?name=='nosuch']", "[]\n"},
		{"yaml", "[].tags", "- {}\n- né: '12'\n  'on': 'yes'\n"},
	} {
		t.Run(tt.format+" "+tt.query, func(t *testing.T) {
			u.t = t
			u.want(u.run("cognitiveservices", "account", "list", "-o", tt.format, "--query", tt.query), 0, tt.want, "")
		})
	}
}

// If this fails, groups and subscriptions print otherwise than with the Azure
// CLI.
func TestGroupAndSubscriptionTables(t *testing.T) {
	s := newServer(t)
	group := `{"id":"/subscriptions/` + subDev + `/resourceGroups/g","name":"g","type":"Microsoft.Resources/resourceGroups","location":"westus","properties":{"provisioningState":"Succeeded"}}`
	s.on("GET /subscriptions/"+subDev+"/resourcegroups", reply(200, `{"value":[`+group+`]}`))
	s.on("GET /subscriptions/"+subDev+"/resourcegroups/g", reply(200, group))
	u := loggedIn(t, s)
	u.want(u.run("group", "list", "-o", "table"), 0, "Name    Location    Status\n------  ----------  ---------\ng       westus      Succeeded\n", "")
	u.want(u.run("group", "show", "-n", "g", "-o", "table"), 0, "Location    Name\n----------  ------\nwestus      g\n", "")
	u.want(u.run("group", "show", "-n", "g"), 0, `{
  "id": "/subscriptions/`+subDev+`/resourceGroups/g",
  "location": "westus",
  "managedBy": null,
  "name": "g",
  "properties": {
    "provisioningState": "Succeeded"
  },
  "tags": null,
  "type": "Microsoft.Resources/resourceGroups"
}
`, "")
	u.want(u.run("account", "list", "-o", "table", "--only-show-errors"), 0,
		"Name          CloudName    SubscriptionId                        TenantId                              State    IsDefault\n"+
			"------------  -----------  ------------------------------------  ------------------------------------  -------  -----------\n"+
			"Twinkey Dev   Twinkey      "+subDev+"  "+tenant+"  Enabled  True\n"+
			"Twinkey Prod  Twinkey      "+subProd+"  "+tenant+"  Enabled  False\n", "")
	u.want(u.run("account", "show", "-o", "table"), 0,
		"EnvironmentName    HomeTenantId                          IsDefault    Name         State    TenantId\n"+
			"-----------------  ------------------------------------  -----------  -----------  -------  ------------------------------------\n"+
			"Twinkey            "+tenant+"  True         Twinkey Dev  Enabled  "+tenant+"\n", "")
}

// If this fails, a list longer than a page is cut.
func TestListsAreWhole(t *testing.T) {
	s := newServer(t)
	path := "/subscriptions/" + subDev + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts"
	s.on("GET "+path, reply(200, `{"value":[{"name":"a"}],"nextLink":"`+s.URL+`/page2"}`))
	s.on("GET /page2", reply(200, `{"value":[{"name":"b"}]}`))
	u := loggedIn(t, s)
	u.want(u.run(command("cognitiveservices account list -g g --query [].name -o tsv")...), 0, "a\nb\n", "")
}
