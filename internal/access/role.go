package access

// RoleType says who defined a role.
type RoleType string

// The role types, as they are called on the wire.
const (
	BuiltInRole RoleType = "BuiltInRole"
	CustomRole  RoleType = "CustomRole"
)

// Role is a role definition. AssignableScopes limits where the role may be
// assigned; it is looked at when an assignment is made, never when a call is
// decided.
type Role struct {
	ID               string       `json:"id"` // GUID
	Name             string       `json:"name"`
	Description      string       `json:"description,omitempty"`
	Type             RoleType     `json:"type"`
	AssignableScopes []string     `json:"assignableScopes"`
	Permissions      []Permission `json:"permissions"`
}

// Permission grants what its actions match, less what its notActions match. The
// exceptions are its own: what one permission excepts another may grant.
type Permission struct {
	Actions        []string `json:"actions"`
	NotActions     []string `json:"notActions"`
	DataActions    []string `json:"dataActions"`
	NotDataActions []string `json:"notDataActions"`

	// Conditional are actions granted only under a condition on the request,
	// which nothing here evaluates: they are not granted.
	Conditional []string `json:"conditional,omitempty"`
}

// clone returns a role that shares no memory with r.
func (r Role) clone() Role {
	r.AssignableScopes = append([]string(nil), r.AssignableScopes...)
	r.Permissions = append([]Permission(nil), r.Permissions...)
	for i := range r.Permissions {
		p := &r.Permissions[i]
		for _, list := range []*[]string{&p.Actions, &p.NotActions, &p.DataActions, &p.NotDataActions, &p.Conditional} {
			*list = append([]string(nil), *list...)
		}
	}
	return r
}
