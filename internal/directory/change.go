package directory

import (
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/audit"
)

// Change says what a mutation did. The same is in the activity log.
type Change struct {
	Operation    string // such as "create user"
	By           twinkey.Caller
	At           time.Time
	Principal    twinkey.Principal // whom it was done to
	CredentialID string            // if it was about one credential
	Group        string            // if it was about membership in one: its object id
	Revision     twinkey.Revision  // at which it can be seen
}

// record makes the entry for the activity log.
func (c Change) record() []audit.Entry {
	details := []string{"operation", c.Operation, "principal", c.Principal.ObjectID, "name", c.Principal.Name}
	if c.CredentialID != "" {
		details = append(details, "credential", c.CredentialID)
	}
	if c.Group != "" {
		details = append(details, "group", c.Group)
	}
	return []audit.Entry{audit.New(c.By, c.At, c.action(), twinkey.ResourceID{}, details...)}
}

// action is the change's name among the actions of Microsoft Entra roles
// (Microsoft Entra documentation, "Microsoft Entra built-in roles").
func (c Change) action() string {
	collection := "users"
	switch c.Principal.Type {
	case twinkey.ServicePrincipal:
		collection = "servicePrincipals"
	case twinkey.GroupPrincipal:
		collection = "groups"
	}
	verb, _, _ := strings.Cut(c.Operation, " ")
	switch c.Operation {
	case opSetPassword:
		verb = "password/update"
	case opAddSecret, opRemoveSecret, opAddKey, opRemoveKey:
		verb = "credentials/update"
	case opAddMember, opRemoveMember:
		collection, verb = "groups", "members/update"
	case opUpdate, opClose:
		verb = "basic/update"
	}
	return "microsoft.directory/" + collection + "/" + verb
}

// The operations, by the names that changes have.
const (
	opCreateUser   = "create user"
	opCreateApp    = "create service principal"
	opCreateGroup  = "create group"
	opDelete       = "delete"
	opDisable      = "disable"
	opEnable       = "enable"
	opUpdate       = "update"
	opClose        = "close" // of a group: before it is emptied and deleted
	opSetPassword  = "set password"
	opAddSecret    = "add secret"
	opRemoveSecret = "remove secret"
	opAddKey       = "add key credential"
	opRemoveKey    = "remove key credential"
	opAddMember    = "add member"
	opRemoveMember = "remove member"
)
