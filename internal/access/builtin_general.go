package access

// generalRoles are roles for every kind of resource.
func generalRoles() []Role {
	return []Role{
		{
			ID:          "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
			Name:        "Owner",
			Description: "Do everything, and decide who else may.",
			Permissions: []Permission{{
				Actions: []string{"*"},
			}},
		},
		{
			ID:          "b24988ac-6180-42a0-ab88-20f7382dd24c",
			Name:        "Contributor",
			Description: "Do everything but decide who may.",
			Permissions: []Permission{{
				Actions: []string{"*"},
				NotActions: []string{
					"Microsoft.Authorization/*/Delete",
					"Microsoft.Authorization/*/Write",
					"Microsoft.Authorization/elevateAccess/Action",
					"Microsoft.Blueprint/blueprintAssignments/write",
					"Microsoft.Blueprint/blueprintAssignments/delete",
					"Microsoft.Compute/galleries/share/action",
					"Microsoft.Purview/consents/write",
					"Microsoft.Purview/consents/delete",
					"Microsoft.Resources/deploymentStacks/manageDenySetting/action",
					"Microsoft.Subscription/cancel/action",
					"Microsoft.Subscription/enable/action",
				},
			}},
		},
		{
			ID:          "acdd72a7-3385-48ef-bd42-f606fba81ae7",
			Name:        "Reader",
			Description: "See everything, change nothing.",
			Permissions: []Permission{{
				Actions: []string{"*/read"},
			}},
		},
		{
			ID:          "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
			Name:        "User Access Administrator",
			Description: "See everything and decide who may do what.",
			Permissions: []Permission{{
				Actions: []string{
					"*/read",
					"Microsoft.Authorization/*",
					"Microsoft.Support/*",
				},
			}},
		},
		{
			ID:          "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
			Name:        "Role Based Access Control Administrator",
			Description: "See everything and assign roles.",
			Permissions: []Permission{{
				Actions: []string{
					"Microsoft.Authorization/roleAssignments/write",
					"Microsoft.Authorization/roleAssignments/delete",
					"*/read",
					"Microsoft.Support/*",
				},
			}},
		},
	}
}
