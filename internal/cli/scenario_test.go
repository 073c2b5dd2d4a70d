package cli_test

const (
	skus = `{"value":[
		{"resourceType":"accounts","name":"F0","tier":"Free","kind":"TextAnalytics","locations":["WESTUS","EASTUS"],"restrictions":[]},
		{"resourceType":"accounts","name":"S","tier":"Standard","kind":"TextAnalytics","locations":["EASTUS"],"restrictions":[]},
		{"resourceType":"accounts","name":"S0","tier":"Standard","kind":"CognitiveServices","locations":["GLOBAL"],"restrictions":[]}]}`
	oneSKU  = `{"value":[{"resourceType":"accounts","name":"S0","tier":"Standard","kind":"CognitiveServices","locations":["GLOBAL"]}]}`
	oneRow  = `{"id":"SUB/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/aa","name":"aa","kind":"TextAnalytics","location":"westus"}`
	group   = `{"id":"SUB/resourceGroups/g","name":"g","location":"westus","tags":{"old":"1"},"properties":{"provisioningState":"Succeeded"}}`
	bothKey = `200 {"key1":"` + key1 + `","key2":"` + key2 + `"}`
	inG     = "SUB/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/"
	below   = "SUB/providers/Microsoft.CognitiveServices"
)

// accountScenarios are the Azure CLI's commands about accounts and what is
// around them.
func accountScenarios() []scenario {
	gone := below + "/locations/westus/resourceGroups/g/deletedAccounts/aa"
	return []scenario{
		{"account-update", map[string]string{"PATCH " + inG + "aa": "200 " + oneRow}, []string{
			"cognitiveservices account update -n aa -g g --sku S1 -o tsv",
			"cognitiveservices account update -n aa -g g --sku-name S1 --custom-domain d --tags a=b c --api-properties x=y -o none",
			"cognitiveservices account update -n aa -g g --disable-local-auth true -o none",
			"cognitiveservices account update -n aa -g g --disable-local-auth FALSE --tags -o none",
			"cognitiveservices account update -n aa -g g --disable-local-auth maybe",
			"cognitiveservices account update -n aa",
		}},
		{"account-offers", map[string]string{
			"GET " + below + "/skus": "200 " + skus, "GET " + inG + "aa/skus": `200 {"value":[{"resourceType":"t","sku":{"name":"S","tier":"Standard"}}]}`,
			"GET " + inG + "aa/usages": `200 {"value":[{"name":{"value":"calls"},"limit":5000.0,"currentValue":1.0,"unit":"Count"}]}`,
			"GET " + inG + "aa/models": `200 {"value":[{"name":"m","version":"1","format":"OpenAI"}],"nextLink":"SERVER/more"}`, "GET /more": `200 {"value":[{"name":"n"}]}`,
		}, []string{
			"cognitiveservices account list-kinds",
			"cognitiveservices account list-skus -o table",
			"cognitiveservices account list-skus --kind textanalytics -l 'west US' --query [].name -o tsv",
			"cognitiveservices account list-skus --kind CognitiveServices -l anywhere --query [].name -o tsv",
			"cognitiveservices account list-skus --kind nosuch",
			"cognitiveservices account list-skus -n aa -g g",
			"cognitiveservices account list-skus -n aa",
			"cognitiveservices account list-usage -n aa -g g -o table",
			"cognitiveservices account list-models -n aa -g g -o table",
		}},
		{"account-deleted", map[string]string{
			"GET " + below + "/deletedAccounts": `200 {"value":[` + oneRow + `]}`, "GET " + gone: "200 " + oneRow, "DELETE " + gone: "200 ", "PUT " + inG + "aa": "200 " + oneRow,
		}, []string{
			"cognitiveservices account list-deleted -o table",
			"cognitiveservices account show-deleted -n aa -g g -l westus --query name",
			"cognitiveservices account recover -n aa -g g -l westus -o none",
			"cognitiveservices account purge -n aa -g g -l westus",
			"cognitiveservices account purge -n aa -g g",
		}},
		{"groups-resources-providers", map[string]string{
			"GET SUB/resourcegroups/g": "200 " + group, "PUT SUB/resourcegroups/g": "200 " + group,
			"GET SUB/resources": `200 {"value":[{"id":"` + inG + `aa","name":"aa","type":"Microsoft.CognitiveServices/accounts","location":"westus","provisioningState":"Succeeded"}]}`,
			"GET SUB/providers": `200 {"value":[{"namespace":"Microsoft.X","registrationState":"Registered"}]}`, "GET SUB/providers/Microsoft.X": `200 {"namespace":"Microsoft.X"}`,
			"POST SUB/providers/Microsoft.X/register": `200 {"namespace":"Microsoft.X"}`,
		}, []string{
			"group update -n g --tags new=2 -o none",
			"group update -n g --query tags",
			"group update -n g --tags -o none",
			"group update -n nosuch --tags a=b",
			"resource list -o table",
			"resource list -g g'o -o none",
			"resource list -g g --resource-type Microsoft.CognitiveServices/accounts --query [].resourceGroup -o tsv",
			"provider list -o table",
			"provider show -n Microsoft.X",
			"provider register -n Microsoft.X --wait",
		}},
	}
}

// shortScenarios are the commands that the Azure CLI does not have.
func shortScenarios() []scenario {
	accountsOf := func(groups ...string) string {
		list := ""
		for _, g := range groups {
			list += `,{"name":"Aa","kind":"TextAnalytics","location":"westus","id":"SUB/resourceGroups/` + g + `/providers/Microsoft.CognitiveServices/accounts/Aa"}`
		}
		return `200 {"value":[` + list[1:] + `]}`
	}
	keyRoutes := map[string]string{"GET " + below + "/accounts": accountsOf("g"), "POST " + inG + "aa/listKeys": bothKey, "POST " + inG + "aa/regenerateKey": bothKey}
	return []scenario{
		{"short-keys", keyRoutes, []string{
			"keys list aa",
			"keys list aa -g g -o tsv",
			"keys show aa KEY2",
			"keys show aa key1 -g g",
			"keys show aa key1 -g g -o json",
			"keys regenerate aa key1 -g g -o none",
			"keys regenerate aa key2 -o none",
			"keys list nosuch",
			"keys list",
			"keys show aa",
			"keys regenerate aa key3",
			"keys regenerate aa key1 key2",
			"accounts",
			"accounts -o tsv --query [].name",
		}},
		{"short-ambiguous", map[string]string{"GET " + below + "/accounts": accountsOf("two", "one")}, []string{"keys list aa", "keys regenerate aa key1"}},
		{"short-create", map[string]string{
			"GET " + below + "/skus": "200 " + skus, "HEAD SUB/resourcegroups/g": "204 ", "PUT SUB/resourcegroups/default": "201 " + group,
			"PUT SUB/resourceGroups/default/providers/Microsoft.CognitiveServices/accounts/aa": "201 " + oneRow, "PUT " + inG + "aa": "201 " + oneRow,
		}, []string{
			"create aa",
			"create aa --kind TextAnalytics -o none",
			"create aa --kind textanalytics -l EastUS --sku S -g g -o none",
			"create aa --kind TextAnalytics -l nowhere",
			"create aa --kind CognitiveServices --tags a=b -g g -o none",
			"create",
		}},
		{"short-create-only-kind", map[string]string{
			"GET " + below + "/skus": "200 " + oneSKU, "HEAD SUB/resourcegroups/default": "204 ", "HEAD SUB/resourcegroups/secret": "403 ",
			"PUT SUB/resourceGroups/default/providers/Microsoft.CognitiveServices/accounts/aa": "201 " + oneRow,
		}, []string{"create aa -o none", "config set defaults.group=secret", "create aa"}},
		{"short-create-no-kind", map[string]string{"GET " + below + "/skus": `200 {"value":[]}`}, []string{"create aa", "create aa --kind K", "create aa --kind K --sku S -g nosuch"}},
		{"admin-users", map[string]string{
			"GET /tenants":                       `200 {"value":[{"tenantId":"other","defaultDomain":"other.test"},{"tenantId":"` + tenant + `","defaultDomain":"twinkey.test"}]}`,
			"POST /v1.0/users":                   `201 {"@odata.context":"c","id":"oid-1","displayName":"Bob","userPrincipalName":"bob@twinkey.test"}`,
			"GET /v1.0/users":                    `200 {"value":[{"id":"oid-1","displayName":"Bob","userPrincipalName":"bob@twinkey.test","accountEnabled":true}]}`,
			"PATCH /v1.0/users/bob@twinkey.test": "204 ", "DELETE /v1.0/users/bob@twinkey.test": "204 ",
		}, []string{
			"admin user create bob --display-name Bob",
			"admin user create bob@twinkey.test -o none",
			"admin user list",
			"admin user disable bob",
			"admin user enable bob@twinkey.test",
			"admin user reset-password bob",
			"admin user delete bob",
			"admin user delete bob -y",
			"admin user create",
		}},
		{"admin-subscriptions", map[string]string{
			"POST SUB/providers/Microsoft.Subscription/rename": `200 {"subscriptionId":"x"}`, "POST SUB/providers/Microsoft.Subscription/cancel": `200 {"subscriptionId":"x"}`,
			"POST SUB/providers/Microsoft.Subscription/enable": `200 {"subscriptionId":"x"}`,
		}, []string{
			"admin subscription rename 'twinkey DEV' 'New name' --query name",
			"admin subscription disable " + subDev + " -o none",
			"admin subscription enable 'Twinkey Dev' -o none",
			"admin subscription disable nosuch",
			"admin subscription rename 'Twinkey Dev'",
			"account list --refresh --all --query [].[name,isDefault] -o tsv",
		}},
	}
}
