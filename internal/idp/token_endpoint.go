package idp

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/token"
	"github.com/twinkey/twinkey/internal/web"
)

// grant is what is particular to one way of getting a token. The steps all have
// in common are serveToken's; a grant cannot leave one out.
type grant struct {
	// public grants are for public clients alone, through which users sign in;
	// the others are for applications alone, which have to prove who they are.
	public bool
	// run finds out for whom the token is.
	run func(ctx context.Context, req request, tenant directory.Tenant, c client, t target) (grantee, error)
}

// grantee is for whom a token is.
type grantee struct {
	identity     directory.Identity
	refreshToken twinkey.Secret // zero: none to hand out
}

// tokenAnswer is the body of a success (RFC 6749, section 5.1; Microsoft Learn,
// "Microsoft identity platform and OAuth 2.0 authorization code flow"). Version
// 1 writes numbers as strings, and more of them.
type tokenAnswer struct {
	TokenType    string `json:"token_type"`
	Scope        string `json:"scope,omitempty"`
	ExpiresIn    any    `json:"expires_in"`
	ExtExpiresIn any    `json:"ext_expires_in"`
	ExpiresOn    string `json:"expires_on,omitempty"`
	NotBefore    string `json:"not_before,omitempty"`
	Resource     string `json:"resource,omitempty"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	ClientInfo   string `json:"client_info,omitempty"`
}

// idClaims are the claims of an id token (Microsoft Learn, "ID token claims
// reference").
type idClaims struct {
	Audience  string          `json:"aud"`
	Issuer    string          `json:"iss"`
	IssuedAt  jwt.NumericDate `json:"iat"`
	NotBefore jwt.NumericDate `json:"nbf"`
	Expires   jwt.NumericDate `json:"exp"`
	Name      string          `json:"name,omitempty"`
	Nonce     string          `json:"nonce,omitempty"`
	ObjectID  string          `json:"oid"`
	Preferred string          `json:"preferred_username"`
	Subject   string          `json:"sub"`
	Tenant    string          `json:"tid"`
	UPN       string          `json:"upn"`
	ID        string          `json:"uti"`
	Version   string          `json:"ver"`
}

// grantTable has one line for each file grant_*.go.
func (p *Provider) grantTable() map[string]grant {
	return map[string]grant{
		grantClientCredentials: {run: p.clientCredentials},
		grantPassword:          {public: true, run: p.password},
		grantRefreshToken:      {public: true, run: p.refreshToken},
	}
}

// grantNames lists the grants for the discovery document.
func (p *Provider) grantNames() []string {
	var names []string
	for name := range p.grants {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// serveToken is the token endpoint: the steps all grants share.
func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request, at path) (err error) {
	ctx := r.Context()
	req, err := readRequest(w, r, at)
	defer func() { p.count(req.grant, err) }()
	if err != nil {
		return err
	}
	if req.grant == "" {
		return missing("grant_type")
	}
	g, ok := p.grants[req.grant]
	if !ok {
		return fail(codeUnsupportedGrant, "The app requested an unsupported grant type '%s'.", twinkey.Printable(req.grant, 100))
	}
	tenant, err := p.tenantOf(ctx, req)
	if err != nil {
		return err
	}
	t, err := p.target(req)
	if err != nil {
		return err
	}
	// Without a signing key, nothing that works once may be used up.
	if err := p.waitReady(ctx); err != nil {
		return err
	}
	c, err := p.authenticate(ctx, req, tenant, t)
	if err != nil {
		return err
	}
	if err := checkClient(g, c); err != nil {
		return err
	}
	to, err := g.run(ctx, req, tenant, c, t)
	if err != nil {
		return err
	}
	web.Note(r).Caller = to.identity.Label()
	answer, err := p.issue(ctx, req, c, t, to)
	if err != nil {
		return err
	}
	setHeaders(w, r, req.who)
	return web.WriteJSON(w, http.StatusOK, answer)
}

// checkClient keeps public clients and applications each to their grants.
func checkClient(g grant, c client) error {
	switch {
	case g.public && c.proved != provedNothing:
		return fail(codeNotThisClient, "Users do not sign in through application '%s'. Use a public client, such as '%s'.", twinkey.Printable(c.id, 60), clientCLI)
	case !g.public && c.proved == provedNothing:
		return fail(codeNoClientCredential, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	}
	return nil
}

// issue makes the answer.
func (p *Provider) issue(ctx context.Context, req request, c client, t target, to grantee) (tokenAnswer, error) {
	now := p.now()
	claims := token.Claims{
		Audience: t.audience, Issuer: token.Issuer(p.publicURL, to.identity.Tenant),
		IssuedAt: *jwt.NewNumericDate(now), NotBefore: *jwt.NewNumericDate(now), Expires: *jwt.NewNumericDate(now.Add(p.access)),
		AppID: twinkey.Fold(c.id), AppAuth: c.proved, IDType: token.IDTypeApp,
		ObjectID: to.identity.ObjectID, Subject: to.identity.ObjectID, Tenant: to.identity.Tenant,
		ID: newTokenID(), Version: token.Version, Credential: to.identity.CredentialID,
	}
	lasts := seconds(p.access) - 1 // so that nobody uses it in its last second
	answer := tokenAnswer{TokenType: "Bearer", ExpiresIn: lasts, ExtExpiresIn: lasts, RefreshToken: to.refreshToken.Reveal()}
	if req.path.family == entraV1 {
		text := strconv.FormatInt(lasts, 10)
		answer.ExpiresIn, answer.ExtExpiresIn, answer.Resource = text, text, t.audience
		answer.ExpiresOn = strconv.FormatInt(int64(claims.Expires), 10)
		answer.NotBefore = strconv.FormatInt(int64(claims.NotBefore), 10)
	}
	if to.identity.Type == twinkey.User {
		claims.IDType, claims.Scope = token.IDTypeUser, permissionUser
		claims.UPN, claims.Name = to.identity.Name, to.identity.DisplayName
		if answer.Scope = req.scope; answer.Scope == "" {
			answer.Scope = permissionUser
		}
		if req.wantsClientInfo {
			answer.ClientInfo = clientInfo(to.identity)
		}
	}
	var err error
	if answer.AccessToken, err = p.sign(ctx, claims); err != nil {
		return tokenAnswer{}, err
	}
	if to.identity.Type == twinkey.User && t.openID {
		answer.IDToken, err = p.sign(ctx, p.idToken(req, c, claims))
	}
	return answer, err
}

// idToken says who signed in, to the client itself: its id is the audience, in
// the casing it was sent, because MSAL compares it so.
func (p *Provider) idToken(req request, c client, access token.Claims) idClaims {
	return idClaims{
		Audience: c.id, Issuer: p.issuer(access.Tenant),
		IssuedAt: access.IssuedAt, NotBefore: access.NotBefore, Expires: access.Expires,
		Name: access.Name, Nonce: req.nonce, ObjectID: access.ObjectID, Preferred: access.UPN,
		Subject: access.Subject, Tenant: access.Tenant, UPN: access.UPN, ID: newTokenID(), Version: "2.0",
	}
}

// clientInfo is what MSAL makes an account's id of.
func clientInfo(id directory.Identity) string {
	text, _ := json.Marshal(map[string]string{"uid": id.ObjectID, "utid": id.Tenant}) // strings: cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// newTokenID draws the id of a token.
func newTokenID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
