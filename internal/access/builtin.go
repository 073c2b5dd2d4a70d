package access

import (
	"slices"
	"strings"
	"sync"
)

// BuiltIn returns Azure's built-in roles that concern Cognitive Services, and
// the general ones, with Azure's ids, names and actions (Azure documentation,
// "Azure built-in roles"). The slice and all in it are the caller's.
func BuiltIn() []Role {
	roles := slices.Concat(generalRoles(), cognitiveRoles(), languageRoles(), speechRoles(), visionRoles(), foundryRoles(), platformRoles())
	for i := range roles {
		roles[i].Type = BuiltInRole
		roles[i].AssignableScopes = []string{"/"}
	}
	return roles
}

// BuiltInByID finds a built-in role by its GUID in any case. What it returns is
// the caller's.
func BuiltInByID(id string) (Role, bool) {
	r, ok := builtInIndex().byID[strings.ToLower(id)]
	return r.clone(), ok
}

// BuiltInByName finds a built-in role by its name in any case, for example
// "Cognitive Services User". What it returns is the caller's.
func BuiltInByName(name string) (Role, bool) {
	r, ok := builtInIndex().byName[strings.ToLower(name)]
	return r.clone(), ok
}

type roleIndex struct{ byID, byName map[string]Role }

// builtInIndex is made once and only read afterwards.
var builtInIndex = sync.OnceValue(func() roleIndex {
	index := roleIndex{byID: map[string]Role{}, byName: map[string]Role{}}
	for _, r := range BuiltIn() {
		index.byID[r.ID] = r
		index.byName[strings.ToLower(r.Name)] = r
	}
	return index
})
