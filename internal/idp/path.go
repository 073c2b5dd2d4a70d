package idp

import (
	"net/http"
	"strings"
)

// endpoint is what a path leads to.
type endpoint uint8

const (
	endpointToken endpoint = iota + 1
	endpointDiscovery
	endpointKeys
	endpointInstance
	endpointRealm
)

// family is which server's ways a path follows.
type family uint8

const (
	entra   family = iota + 1
	entraV1        // the token endpoint without a version
	adfs
)

// path is a request's path, understood.
type path struct {
	endpoint endpoint
	family   family
	tenant   string // as named, in lower case
	user     string // of a realm query
}

// parsePath reads a path in any casing; several slashes count as one, because
// az lower-cases its authority and appends to addresses that end in a slash.
func parsePath(text string) (path, bool) {
	if len(text) > 1024 {
		return path{}, false
	}
	s := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == '/' })
	if len(s) < 3 {
		return path{}, false
	}
	rest := strings.Join(s[1:], "/")
	if s[0] == tenantADFS {
		switch rest {
		case ".well-known/openid-configuration":
			return path{endpoint: endpointDiscovery, family: adfs, tenant: s[0]}, true
		case "oauth2/token":
			return path{endpoint: endpointToken, family: adfs, tenant: s[0]}, true
		case "discovery/keys":
			return path{endpoint: endpointKeys, family: adfs, tenant: s[0]}, true
		}
		return path{}, false
	}
	switch {
	case s[0] == tenantCommon && rest == "discovery/instance":
		return path{endpoint: endpointInstance, family: entra, tenant: s[0]}, true
	case s[0] == tenantCommon && len(s) == 3 && s[1] == "userrealm":
		return path{endpoint: endpointRealm, family: entra, tenant: s[0], user: s[2]}, true
	case rest == "v2.0/.well-known/openid-configuration":
		return path{endpoint: endpointDiscovery, family: entra, tenant: s[0]}, true
	case rest == "oauth2/v2.0/token":
		return path{endpoint: endpointToken, family: entra, tenant: s[0]}, true
	case rest == "oauth2/token":
		return path{endpoint: endpointToken, family: entraV1, tenant: s[0]}, true
	case rest == "discovery/v2.0/keys":
		return path{endpoint: endpointKeys, family: entra, tenant: s[0]}, true
	}
	return path{}, false
}

// method is the one the endpoint answers to.
func (at path) method() string {
	if at.endpoint == endpointToken {
		return http.MethodPost
	}
	return http.MethodGet
}
