package etcdstore

import (
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/audit"
)

// The key space. Parts are case-folded; none can contain a slash.
const (
	root          = "/tk/"
	formatKey     = root + "format"
	subPrefix     = root + "s/"  // <subscription>
	groupPrefix   = root + "g/"  // <subscription>/<group>
	acctPrefix    = root + "a/"  // <subscription>/<group>/<account>
	opPrefix      = root + "o/"  // <subscription>/<operation>
	namePrefix    = root + "n/"  // <sub-domain>
	rolePrefix    = root + "r/"  // <scope>/<assignment>
	logPrefix     = root + "l/"  // <subscription>/<hour>/<entry>
	tenantPrefix  = root + "t/"  // <tenant>
	whoPrefix     = root + "p/"  // <tenant>/<object id>
	whoNames      = root + "pn/" // <tenant>/<name>
	secretPrefix  = root + "k/"  // wrapped data keys, sealed signing keys
	sessionPrefix = root + "u/"  // <tenant>/<object id>: sessions of users
)

func subKey(id string) string { return subPrefix + twinkey.Fold(id) }

func groupKey(id twinkey.ResourceID) string {
	id = id.Folded()
	return groupPrefix + id.Subscription + "/" + id.Group
}

func accountKey(id twinkey.ResourceID) string {
	id = id.Folded()
	return acctPrefix + id.Subscription + "/" + id.Group + "/" + id.Account
}

// accountsIn is the prefix of a group's or a subscription's accounts.
func accountsIn(scope twinkey.ResourceID) string {
	prefix := acctPrefix + twinkey.Fold(scope.Subscription) + "/"
	if scope.Group != "" {
		prefix += twinkey.Fold(scope.Group) + "/"
	}
	return prefix
}

// accountOf reads an account's key back; names come folded.
func accountOf(key string) (twinkey.ResourceID, bool) {
	parts := strings.Split(strings.TrimPrefix(key, acctPrefix), "/")
	if !strings.HasPrefix(key, acctPrefix) || len(parts) != 3 {
		return twinkey.ResourceID{}, false
	}
	return twinkey.ResourceID{Subscription: parts[0], Group: parts[1], Account: parts[2]}, true
}

func operationKey(subscription, name string) string {
	return opPrefix + twinkey.Fold(subscription) + "/" + twinkey.Fold(name)
}

func nameKey(subdomain string) string { return namePrefix + twinkey.Fold(subdomain) }

// scopeRoles is the prefix of the assignments at exactly this scope: the parts
// of the scope are joined by '|', so that no scope's prefix begins another's.
func scopeRoles(scope twinkey.ResourceID) string {
	id := scope.Folded()
	return rolePrefix + strings.Join([]string{id.Subscription, id.Group, id.Account}, "|") + "/"
}

// logKey files an entry under the subscription it happened in, or under "-".
func logKey(e audit.Entry) string {
	sub := "-"
	if id, err := twinkey.ParseResourceID(e.Scope); err == nil && id.Subscription != "" {
		sub = twinkey.Fold(id.Subscription)
	}
	return logPrefix + sub + "/" + e.Hour() + "/" + e.ID
}
