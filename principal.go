package twinkey

import "net/netip"

// PrincipalType is Azure's word for what kind of identity a principal is.
type PrincipalType string

// The principal types the directory knows.
const (
	User             PrincipalType = "User"
	ServicePrincipal PrincipalType = "ServicePrincipal"
	GroupPrincipal   PrincipalType = "Group"
)

// Principal is an authenticated identity.
type Principal struct {
	Tenant   string        // GUID
	ObjectID string        // GUID
	Type     PrincipalType // User or ServicePrincipal
	AppID    string        // GUID of the application, for service principals
	Name     string        // user principal name, or the application's display name
	Groups   []string      // object ids of the groups it belongs to
}

// Label names the principal the way Azure's messages do: a user by its user
// principal name, a service principal by its application id.
func (p Principal) Label() string {
	if p.Type == ServicePrincipal {
		return p.AppID
	}
	return p.Name
}

// Caller is who asks, together with what the activity log records of the
// asking. It is a parameter wherever a rule or a record depends on it.
type Caller struct {
	Principal
	RequestID       string     // ours, one for each request
	CorrelationID   string     // groups requests of one operation
	ClientRequestID string     // the client's own, kept by an SDK when it retries
	Address         netip.Addr // where the request came from
}
