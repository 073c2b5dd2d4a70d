package graph

import (
	"context"
	"net/http"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
)

// application is an application on the wire (Microsoft Graph v1.0, "application
// resource type").
type application struct {
	odata
	ID                     string               `json:"id"`
	AppID                  string               `json:"appId"`
	DisplayName            string               `json:"displayName"`
	CreatedDateTime        *string              `json:"createdDateTime"`
	DeletedDateTime        *string              `json:"deletedDateTime"`
	SignInAudience         string               `json:"signInAudience"`
	IdentifierURIs         []string             `json:"identifierUris"`
	PasswordCredentials    []passwordCredential `json:"passwordCredentials"`
	KeyCredentials         []keyCredential      `json:"keyCredentials"`
	RequiredResourceAccess []struct{}           `json:"requiredResourceAccess"`
	AppRoles               []struct{}           `json:"appRoles"`
	Tags                   []string             `json:"tags"`
}

// servicePrincipal is a service principal on the wire (Microsoft Graph v1.0,
// "servicePrincipal resource type").
type servicePrincipal struct {
	odata
	ID                     string               `json:"id"`
	AppID                  string               `json:"appId"`
	DisplayName            string               `json:"displayName"`
	AppDisplayName         string               `json:"appDisplayName"`
	AccountEnabled         bool                 `json:"accountEnabled"`
	AppOwnerOrganizationID string               `json:"appOwnerOrganizationId"`
	ServicePrincipalNames  []string             `json:"servicePrincipalNames"`
	ServicePrincipalType   string               `json:"servicePrincipalType"`
	SignInAudience         string               `json:"signInAudience"`
	CreatedDateTime        *string              `json:"createdDateTime"`
	DeletedDateTime        *string              `json:"deletedDateTime"`
	AppRoles               []struct{}           `json:"appRoles"`
	KeyCredentials         []keyCredential      `json:"keyCredentials"`
	PasswordCredentials    []passwordCredential `json:"passwordCredentials"`
	Tags                   []string             `json:"tags"`
}

// audience is who may sign in to an application: principals of its own tenant.
const audience = "AzureADMyOrg"

// applications is one view of the record, servicePrincipals the other.
func (s *surface) applications() *collection {
	return &collection{
		surface: s, name: "applications", kind: twinkey.ServicePrincipal, unique: []string{"appid"}, show: applicationOf,
		values: func(rec directory.Record) map[string][]string {
			return map[string][]string{"id": {rec.ObjectID}, "appid": {rec.AppID}, "displayname": {rec.Name}, "identifieruris": nil}
		},
	}
}

func (s *surface) servicePrincipals() *collection {
	return &collection{
		surface: s, name: "servicePrincipals", kind: twinkey.ServicePrincipal, unique: []string{"appid", "serviceprincipalnames"}, show: servicePrincipalOf,
		values: func(rec directory.Record) map[string][]string {
			return map[string][]string{"id": {rec.ObjectID}, "appid": {rec.AppID}, "serviceprincipalnames": {rec.AppID}, "displayname": {rec.Name}}
		},
	}
}

func applicationOf(rec directory.Record, o odata) any {
	return application{
		odata: o, ID: rec.ObjectID, AppID: rec.AppID, DisplayName: rec.Name, CreatedDateTime: timestamp(rec.Created),
		SignInAudience: audience, IdentifierURIs: []string{}, PasswordCredentials: passwordsOf(rec), KeyCredentials: keysOf(rec),
		RequiredResourceAccess: []struct{}{}, AppRoles: []struct{}{}, Tags: []string{},
	}
}

func servicePrincipalOf(rec directory.Record, o odata) any {
	return servicePrincipal{
		odata: o, ID: rec.ObjectID, AppID: rec.AppID, DisplayName: rec.Name, AppDisplayName: rec.Name, AccountEnabled: !rec.Disabled,
		AppOwnerOrganizationID: rec.Tenant, ServicePrincipalNames: []string{rec.AppID}, ServicePrincipalType: "Application",
		SignInAudience: audience, CreatedDateTime: timestamp(rec.Created), AppRoles: []struct{}{},
		KeyCredentials: keysOf(rec), PasswordCredentials: passwordsOf(rec), Tags: []string{},
	}
}

// applicationBody is what a caller may say about an application.
type applicationBody struct {
	DisplayName    string           `json:"displayName"`
	SignInAudience string           `json:"signInAudience"`
	AccountEnabled *bool            `json:"accountEnabled"`
	KeyCredentials *[]keyCredential `json:"keyCredentials"`
}

func (b applicationBody) check() error {
	if b.SignInAudience != "" && b.SignInAudience != audience {
		return twinkey.Errorf(twinkey.Unsupported, "The signInAudience must be %s: applications serve their own tenant here.", audience)
	}
	return nil
}

// createApplication makes an application, and with it its service principal,
// that cannot sign in until it is given a credential.
func (s *surface) createApplication(ctx context.Context, req *request) (int, any, error) {
	var body applicationBody
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := body.check(); err != nil {
		return 0, nil, err
	}
	if body.DisplayName == "" {
		return 0, nil, required("displayName")
	}
	want := directory.NewServicePrincipal{Tenant: req.who.Tenant, Name: body.DisplayName, Bare: true}
	keys, err := newKeys(body.KeyCredentials)
	switch {
	case err != nil:
		return 0, nil, err
	case len(keys) > 1:
		return 0, nil, twinkey.Errorf(twinkey.Unsupported, "An application is created with at most one key. Add the others afterwards.")
	case len(keys) == 1:
		want.Bare, want.Key, want.KeyName, want.NotAfter = false, keys[0].JWK, keys[0].Name, keys[0].NotAfter
	}
	if !want.Bare && want.Key == nil {
		return 0, nil, required("keyCredentials.key")
	}
	created, err := s.directory.CreateServicePrincipal(ctx, req.who, want)
	if err != nil {
		return 0, nil, err
	}
	return s.createdObject(ctx, req, created.ObjectID, s.applications())
}

// createServicePrincipal answers with the record that the application has.
func (s *surface) createServicePrincipal(ctx context.Context, req *request) (int, any, error) {
	var body struct {
		AppID          string `json:"appId"`
		AccountEnabled *bool  `json:"accountEnabled"`
	}
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	if body.AppID == "" {
		return 0, nil, required("appId")
	}
	rec, err := s.directory.Find(ctx, req.who.Tenant, body.AppID)
	if err == nil && rec.Type != twinkey.ServicePrincipal || twinkey.KindOf(err) == twinkey.PrincipalNotFound {
		return 0, nil, twinkey.Errorf(twinkey.Invalid, "The appId '%s' of the service principal does not reference a valid application object.", twinkey.Printable(body.AppID, 60))
	}
	if err != nil {
		return 0, nil, err
	}
	if body.AccountEnabled != nil && *body.AccountEnabled == rec.Disabled {
		if _, err := s.directory.Update(ctx, req.who, rec.Tenant, rec.ObjectID, directory.Update{Enabled: body.AccountEnabled}); err != nil {
			return 0, nil, err
		}
		return s.createdObject(ctx, req, rec.ObjectID, s.servicePrincipals())
	}
	return http.StatusCreated, servicePrincipalOf(rec, s.entity("servicePrincipals")), nil
}

func (s *surface) updateApplication(ctx context.Context, req *request) (int, any, error) {
	var body applicationBody
	if err := req.decode(&body); err != nil {
		return 0, nil, err
	}
	if err := body.check(); err != nil {
		return 0, nil, err
	}
	u := directory.Update{DisplayName: body.DisplayName, Enabled: body.AccountEnabled}
	if body.KeyCredentials != nil {
		keys, err := newKeys(body.KeyCredentials)
		if err != nil {
			return 0, nil, err
		}
		u.Keys = &keys
	}
	rec, err := s.applications().find(ctx, req, req.names["id"])
	if err != nil {
		return 0, nil, err
	}
	return s.updated(ctx, req, rec, u)
}
