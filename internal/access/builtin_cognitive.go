package access

// cognitiveRoles are roles for accounts of any kind.
func cognitiveRoles() []Role {
	return []Role{
		{
			ID:          "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
			Name:        "Cognitive Services Contributor",
			Description: "Create, change and delete accounts and their keys.",
			Permissions: []Permission{{
				Actions: []string{
					"Microsoft.Authorization/*/read",
					"Microsoft.CognitiveServices/*",
					"Microsoft.Features/features/read",
					"Microsoft.Features/providers/features/read",
					"Microsoft.Features/providers/features/register/action",
					"Microsoft.Insights/alertRules/*",
					"Microsoft.Insights/diagnosticSettings/*",
					"Microsoft.Insights/logDefinitions/read",
					"Microsoft.Insights/metricdefinitions/read",
					"Microsoft.Insights/metrics/read",
					"Microsoft.ResourceHealth/availabilityStatuses/read",
					"Microsoft.Resources/deployments/*",
					"Microsoft.Resources/deployments/operations/read",
					"Microsoft.Resources/subscriptions/operationresults/read",
					"Microsoft.Resources/subscriptions/read",
					"Microsoft.Resources/subscriptions/resourcegroups/deployments/*",
					"Microsoft.Resources/subscriptions/resourceGroups/read",
					"Microsoft.Support/*",
				},
			}},
		},
		{
			ID:          "a97b65f3-24c7-4388-baec-2e87135dc908",
			Name:        "Cognitive Services User",
			Description: "Read accounts, list their keys and call their services.",
			Permissions: []Permission{{
				Actions: []string{
					"Microsoft.CognitiveServices/*/read",
					"Microsoft.CognitiveServices/accounts/listkeys/action",
					"Microsoft.Insights/alertRules/read",
					"Microsoft.Insights/diagnosticSettings/read",
					"Microsoft.Insights/logDefinitions/read",
					"Microsoft.Insights/metricdefinitions/read",
					"Microsoft.Insights/metrics/read",
					"Microsoft.ResourceHealth/availabilityStatuses/read",
					"Microsoft.Resources/deployments/operations/read",
					"Microsoft.Resources/subscriptions/operationresults/read",
					"Microsoft.Resources/subscriptions/read",
					"Microsoft.Resources/subscriptions/resourceGroups/read",
					"Microsoft.Support/*",
				},
				DataActions: []string{"Microsoft.CognitiveServices/*"},
				NotDataActions: []string{
					"Microsoft.CognitiveServices/accounts/AIServices/agents/endpoints/UserIdentityImpersonation/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes-deployments/write",
					"Microsoft.CognitiveServices/accounts/AIServices/fine_tuning_deployments/write",
				},
			}},
		},
		{
			ID:          "b59867f0-fa02-499b-be73-45a86b5b3e1c",
			Name:        "Cognitive Services Data Reader",
			Description: "Read what the services hold.",
			Permissions: []Permission{{
				DataActions: []string{"Microsoft.CognitiveServices/*/read"},
			}},
		},
		{
			ID:          "19c28022-e58e-450d-a464-0b2a53034789",
			Name:        "Cognitive Services Data Contributor (Preview)",
			Description: "Call the services; no say over the accounts.",
			Permissions: []Permission{{
				DataActions: []string{"Microsoft.CognitiveServices/*"},
				NotDataActions: []string{
					"Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes-deployments/write",
					"Microsoft.CognitiveServices/accounts/AIServices/fine_tuning_deployments/write",
				},
			}},
		},
		{
			ID:          "bba48692-92b0-4667-a9ad-c31c7b334ac2",
			Name:        "Cognitive Services Usages Reader",
			Description: "See how much of the quota is used.",
			Permissions: []Permission{{
				Actions: []string{"Microsoft.CognitiveServices/locations/usages/read"},
			}},
		},
		{
			ID:          "14f26b53-9d80-4924-8141-f664426a48f6",
			Name:        "Cognitive Services Security Integration Admin",
			Description: "Manage everything of Cognitive Services, for security providers.",
			Permissions: []Permission{{
				Actions: []string{"Microsoft.CognitiveServices/*"},
			}},
		},
		{
			ID:          "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
			Name:        "Cognitive Services OpenAI User",
			Description: "Call the language models and read what they hold.",
			Permissions: []Permission{{
				Actions: []string{
					"Microsoft.CognitiveServices/*/read",
					"Microsoft.Authorization/roleAssignments/read",
					"Microsoft.Authorization/roleDefinitions/read",
				},
				DataActions: []string{
					"Microsoft.CognitiveServices/accounts/OpenAI/*/read",
					"Microsoft.CognitiveServices/accounts/OpenAI/engines/completions/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/engines/search/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/engines/generate/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/deployments/audio/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/deployments/search/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/deployments/completions/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/deployments/realtime/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/deployments/extensions/chat/completions/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/images/generations/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/video/generations/*/action",
					"Microsoft.CognitiveServices/accounts/OpenAI/video/generations/*/delete",
					"Microsoft.CognitiveServices/accounts/OpenAI/assistants/*",
					"Microsoft.CognitiveServices/accounts/OpenAI/responses/*",
				},
				NotDataActions: []string{"Microsoft.CognitiveServices/accounts/OpenAI/stored-completions/read"},
			}},
		},
		{
			ID:          "a001fd3d-188f-4b5d-821b-7da978bf7442",
			Name:        "Cognitive Services OpenAI Contributor",
			Description: "Call, tune and deploy language models.",
			Permissions: []Permission{{
				Actions: []string{
					"Microsoft.CognitiveServices/*/read",
					"Microsoft.CognitiveServices/accounts/deployments/write",
					"Microsoft.CognitiveServices/accounts/deployments/delete",
					"Microsoft.CognitiveServices/accounts/raiPolicies/read",
					"Microsoft.CognitiveServices/accounts/raiPolicies/write",
					"Microsoft.CognitiveServices/accounts/raiPolicies/delete",
					"Microsoft.CognitiveServices/accounts/commitmentplans/read",
					"Microsoft.CognitiveServices/accounts/commitmentplans/write",
					"Microsoft.CognitiveServices/accounts/commitmentplans/delete",
					"Microsoft.Authorization/roleAssignments/read",
					"Microsoft.Authorization/roleDefinitions/read",
				},
				DataActions: []string{"Microsoft.CognitiveServices/accounts/OpenAI/*"},
			}},
		},
		{
			ID:          "b2de6794-95db-4659-8781-7e080d3f2b9d",
			Name:        "Cognitive Services Immersive Reader User",
			Description: "Start Immersive Reader sessions.",
			Permissions: []Permission{{
				DataActions: []string{"Microsoft.CognitiveServices/accounts/ImmersiveReader/getcontentmodelforreader/action"},
			}},
		},
		{
			ID:          "cb43c632-a144-4ec5-977c-e80c4affc34a",
			Name:        "Cognitive Services Metrics Advisor Administrator",
			Description: "Use and set up Metrics Advisor.",
			Permissions: []Permission{{
				Actions:     []string{"Microsoft.CognitiveServices/*/read"},
				DataActions: []string{"Microsoft.CognitiveServices/accounts/MetricsAdvisor/*"},
			}},
		},
		{
			ID:          "3b20f47b-3825-43cb-8114-4bd2201156a8",
			Name:        "Cognitive Services Metrics Advisor User",
			Description: "Use Metrics Advisor.",
			Permissions: []Permission{{
				Actions:        []string{"Microsoft.CognitiveServices/*/read"},
				DataActions:    []string{"Microsoft.CognitiveServices/accounts/MetricsAdvisor/*"},
				NotDataActions: []string{"Microsoft.CognitiveServices/accounts/MetricsAdvisor/stats/*"},
			}},
		},
	}
}
