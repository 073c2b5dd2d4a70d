package idp

import (
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/token"
)

// The permissions that can be asked for: all there are, or Azure's one word for
// doing what the user may.
const (
	permissionDefault = ".default"
	permissionUser    = "user_impersonation"
)

// target is what a token is asked for.
type target struct {
	audience      string
	permission    string
	openID        bool // an id token
	offlineAccess bool // a refresh token
}

// target reads scope and resource. A scope is a list with one resource, written
// resource/permission, and words of OpenID Connect; a resource that ends in a
// slash therefore has two (https://host//.default).
func (p *Provider) target(req request) (target, error) {
	t := target{permission: permissionDefault}
	asked := req.resource
	for _, word := range strings.Fields(req.scope) {
		switch word {
		case "openid":
			t.openID = true
			continue
		case "offline_access":
			t.offlineAccess = true
			continue
		case "profile", "email":
			continue
		}
		at := strings.LastIndexByte(word, '/')
		if at <= 0 {
			return target{}, fail(codeInvalidScope, "The provided value for the input parameter 'scope' is not valid. The scope '%s' does not exist; expected a resource and a permission, such as %s/.default.", twinkey.Printable(word, 100), p.publicURL)
		}
		resource, permission := word[:at], word[at+1:]
		if asked != "" && token.FoldAudience(asked) != token.FoldAudience(resource) {
			return target{}, fail(codeSeveralResources, "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope %s is not valid.", twinkey.Printable(req.scope, 300))
		}
		asked, t.permission = resource, permission
	}
	if asked == "" {
		if req.path.family == entraV1 {
			return target{}, missing("resource")
		}
		return target{}, missing("scope")
	}
	var known bool
	if t.audience, known = p.audiences[token.FoldAudience(asked)]; !known {
		return target{}, fail(codeUnknownResource, "The resource principal named %s was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. Known: %s.", twinkey.Printable(asked, 200), strings.Join(p.audienceNames(), ", "))
	}
	return t, p.checkPermission(req, t)
}

// checkPermission refuses permissions nobody grants.
func (p *Provider) checkPermission(req request, t target) error {
	if t.permission == permissionDefault {
		return nil
	}
	if req.grant == grantClientCredentials {
		return fail(codeScopeNotDefault, "The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", twinkey.Printable(req.scope, 300))
	}
	if t.permission != permissionUser {
		return fail(codeInvalidScope, "The provided value for the input parameter 'scope' is not valid. The permission '%s' does not exist. Known: %s, %s.", twinkey.Printable(t.permission, 60), permissionDefault, permissionUser)
	}
	return nil
}

// audienceNames lists the audiences tokens are issued for, this server first.
func (p *Provider) audienceNames() []string {
	return []string{p.publicURL, AudienceManagement, AudienceClassic, AudienceCognitiveServices}
}
