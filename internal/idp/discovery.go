package idp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// configuration is the discovery document (OpenID Connect Discovery 1.0,
// section 3). Nothing is in it that is not there; the authorization endpoint is
// because the document may not be without it.
type configuration struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	KeysURI               string   `json:"jwks_uri"`
	GrantTypes            []string `json:"grant_types_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	Scopes                []string `json:"scopes_supported"`
	Claims                []string `json:"claims_supported"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	ClientAuthentication  []string `json:"token_endpoint_auth_methods_supported"`
	AssertionAlgorithms   []string `json:"token_endpoint_auth_signing_alg_values_supported"`
}

// instance answers an instance discovery query, with which MSAL asks whether an
// authority is one.
type instance struct {
	Endpoint   string             `json:"tenant_discovery_endpoint"`
	APIVersion string             `json:"api-version"`
	Metadata   []instanceMetadata `json:"metadata"`
}

type instanceMetadata struct {
	PreferredNetwork string   `json:"preferred_network"`
	PreferredCache   string   `json:"preferred_cache"`
	Aliases          []string `json:"aliases"`
}

// realm answers a user realm query, with which MSAL asks where a user's
// password is kept.
type realm struct {
	Version     string `json:"ver"`
	AccountType string `json:"account_type"`
	Domain      string `json:"domain_name"`
	Instance    string `json:"cloud_instance_name"`
	Audience    string `json:"cloud_audience_urn"`
}

// serveDiscovery answers with the discovery document of a tenant. MSAL takes
// the tenant from the token endpoint, so an alias stays one.
func (p *Provider) serveDiscovery(w http.ResponseWriter, r *http.Request, at path) error {
	tenant, err := p.tenant(r.Context(), at.tenant)
	if err != nil {
		return err
	}
	name := tenant.ID
	if isAlias(at.tenant) {
		name = at.tenant
	}
	base := p.publicURL + "/" + name
	doc := configuration{
		Issuer:                p.issuer(tenant.ID),
		AuthorizationEndpoint: base + "/oauth2/v2.0/authorize",
		TokenEndpoint:         p.tokenEndpoint(name),
		KeysURI:               base + "/discovery/v2.0/keys",
		GrantTypes:            p.grantNames(),
		ResponseTypes:         []string{},
		ResponseModes:         []string{},
		SubjectTypes:          []string{"public"},
		Scopes:                []string{"openid", "profile", "offline_access"},
		Claims:                []string{"aud", "exp", "iat", "iss", "name", "nbf", "nonce", "oid", "preferred_username", "sub", "tid", "upn", "ver"},
		IDTokenAlgorithms:     []string{string(jose.RS256)},
		ClientAuthentication:  []string{"client_secret_post", "client_secret_basic", "private_key_jwt"},
		AssertionAlgorithms:   assertionAlgorithmNames(),
	}
	if at.family == adfs {
		doc.AuthorizationEndpoint = base + "/oauth2/authorize"
		doc.KeysURI = base + "/discovery/keys"
	}
	return web.WriteJSON(w, http.StatusOK, doc)
}

// serveKeys answers with the public keys (RFC 7517, section 5). They are the
// same for all tenants.
func (p *Provider) serveKeys(w http.ResponseWriter, r *http.Request) error {
	if err := p.waitReady(r.Context()); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: p.PublicKeys()})
}

// serveInstance vouches for this server alone. A port is no part of the
// question: MSAL for Python leaves it out.
func (p *Provider) serveInstance(w http.ResponseWriter, r *http.Request) error {
	asked, err := url.Parse(r.URL.Query().Get("authorization_endpoint"))
	ours, _ := url.Parse(p.publicURL)
	if err != nil || !strings.EqualFold(asked.Hostname(), ours.Hostname()) || asked.Port() != "" && asked.Port() != ours.Port() {
		return fail(codeUnknownInstance, "Unknown or invalid instance. This server vouches for %s only.", p.publicURL)
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(asked.Path), "/"), "/")
	tenant, err := p.tenant(r.Context(), name)
	if err != nil {
		return err
	}
	if !isAlias(name) {
		name = tenant.ID
	}
	answer := instance{
		Endpoint:   p.publicURL + "/" + name + "/v2.0/.well-known/openid-configuration",
		APIVersion: "1.1",
		Metadata:   []instanceMetadata{{PreferredNetwork: p.host, PreferredCache: p.host, Aliases: []string{p.host}}},
	}
	if name == tenantADFS {
		answer.Endpoint = p.publicURL + "/adfs/.well-known/openid-configuration"
	}
	if bare := ours.Hostname(); bare != p.host {
		answer.Metadata[0].Aliases = append(answer.Metadata[0].Aliases, bare)
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}

// serveRealm says of every user that the password is checked here, whether or
// not there is such a user.
func (p *Provider) serveRealm(w http.ResponseWriter, at path) error {
	_, domain, _ := strings.Cut(at.user, "@")
	return web.WriteJSON(w, http.StatusOK, realm{
		Version: "1.0", AccountType: "Managed", Domain: twinkey.Printable(domain, 253),
		Instance: p.host, Audience: "urn:federation:MicrosoftOnline",
	})
}

// issuer is the issuer of a tenant's id tokens. Access tokens have another one,
// so that neither passes for the other.
func (p *Provider) issuer(tenant string) string { return p.publicURL + "/" + tenant + "/v2.0" }

// tokenEndpoint is the address of the token endpoint under a tenant's name.
func (p *Provider) tokenEndpoint(tenant string) string {
	if tenant == tenantADFS {
		return p.publicURL + "/adfs/oauth2/token"
	}
	return p.publicURL + "/" + tenant + "/oauth2/v2.0/token"
}
