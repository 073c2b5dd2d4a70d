// Package arm speaks the dialect of Azure Resource Manager: resource ids in the
// path, api-versions, error envelopes, request ids, ETags, pages, long-running
// operations. The packages below it hold one table of routes each; this one
// makes of them the router, the steps every call goes through, and the list of
// operations.
//
// It refuses to decide who may do what, to change anything, and to take an
// address of this server from a request.
package arm

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/web"
)

const (
	// maxBody is the largest request body, in bytes (Azure Resource Manager,
	// "Request and response size limits").
	maxBody = 4 << 20
	// timeLimit is how long one call may take (Azure Resource Manager RPC,
	// common-api-details.md, "Request timeout").
	timeLimit = 60 * time.Second
)

// Authenticator says whom a bearer token speaks for. It fails with kind
// Unauthenticated, TokenExpired or WrongAudience, or with what kept it from
// finding out.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (twinkey.Principal, error)
}

// Subscriptions tells anybody whether a subscription exists, and its tenant.
type Subscriptions interface {
	Subscription(ctx context.Context, id string) (accounts.Subscription, error)
}

// Config is what the surface needs; every field is required.
type Config struct {
	PublicURL     string // where clients reach this surface, for example "https://keys.example.com:8443"
	GatewayURL    string // where clients reach the gateway
	Authenticator Authenticator
	Subscriptions Subscriptions
}

// New is the surface over all tables. Routes that contradict one another are
// the program's own mistake: New panics.
func New(config Config, tables ...[]Route) http.Handler {
	config.PublicURL = strings.TrimRight(config.PublicURL, "/")
	config.GatewayURL = strings.TrimRight(config.GatewayURL, "/")
	var routes []Route
	for _, table := range tables {
		routes = append(routes, table...)
	}
	routes = append(routes, operationLists(routes)...)
	routes = append(routes, metadataRoute(config.PublicURL))
	s := &surface{config: config, router: newRouter(routes), transport: transportSecurity(config.PublicURL)}
	return web.Handle(s.answer, WriteError)
}

// surface takes each call through the same steps.
type surface struct {
	config    Config
	router    *router
	transport string // the Strict-Transport-Security header, "" for none
}

// answer is the order of a call: ids, api-version, subscription, token, and
// only then the route, or why there is none. That a subscription is absent is
// said before a token is asked for, as Azure does: clients find a tenant so.
func (s *surface) answer(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), timeLimit)
	defer cancel()
	r = r.WithContext(ctx)
	req := &Request{Who: web.Caller(r), base: s.config.PublicURL}
	s.writeCommonHeaders(w, r, req.Who)
	segments, err := splitPath(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	if req.Query, err = parseQuery(r.URL.RawQuery); err != nil {
		return err
	}
	found := s.router.find(r.Method, segments)
	req.segments, req.ID, req.names = segments, found.id, found.names
	if found.route != nil && found.route.Public {
		return s.handle(w, r, req, found.route)
	}
	if !managed(segments) {
		return s.elsewhere(r, segments)
	}
	if req.Version, err = checkVersion(req.Query); err != nil {
		return err
	}
	tenant, err := s.tenant(r.Context(), req.ID.Subscription)
	creates := found.route != nil && found.route.Creates && twinkey.KindOf(err) == twinkey.SubscriptionNotFound
	if err != nil && !creates {
		return err
	}
	if err := s.authenticate(w, r, req, tenant); err != nil {
		return err
	}
	if found.route == nil {
		return s.unrouted(w, r, segments, found, req.Version)
	}
	return s.handle(w, r, req, found.route)
}

// handle reads what the route needs, runs it and writes its answer.
func (s *surface) handle(w http.ResponseWriter, r *http.Request, req *Request, route *Route) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		var err error
		if req.Precondition, err = parsePrecondition(r.Header); err != nil {
			return err
		}
		if req.Body, err = web.ReadBody(w, r, maxBody); err != nil {
			return err
		}
	}
	resp, err := route.Handle(r.Context(), req)
	if err != nil {
		return err
	}
	return resp.write(w)
}

// tenant returns the tenant of a subscription that a path names, "" if it names
// none.
func (s *surface) tenant(ctx context.Context, subscription string) (string, error) {
	if subscription == "" {
		return "", nil
	}
	if !twinkey.IsGUID(subscription) {
		return "", WithCode("InvalidSubscriptionId", twinkey.Errorf(twinkey.Invalid,
			"The provided subscription identifier '%s' is malformed or invalid.", twinkey.Printable(subscription, 60)))
	}
	sub, err := s.config.Subscriptions.Subscription(ctx, subscription)
	return sub.Tenant, err
}

// writeCommonHeaders writes what every answer carries (Azure Resource Manager
// RPC, common-api-details.md, "Response Headers"). The headers that say how many
// calls a subscription has left are not among them: nothing here counts any.
func (s *surface) writeCommonHeaders(w http.ResponseWriter, r *http.Request, who twinkey.Caller) {
	h := w.Header()
	h.Set("x-ms-request-id", who.RequestID)
	h.Set("x-ms-correlation-request-id", who.CorrelationID)
	h.Set("x-ms-routing-request-id", "TWINKEY:"+time.Now().UTC().Format("20060102T150405Z")+":"+who.RequestID)
	if who.ClientRequestID != "" && strings.EqualFold(r.Header.Get("x-ms-return-client-request-id"), "true") {
		h.Set("x-ms-client-request-id", who.ClientRequestID)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "-1")
	h.Set("X-Content-Type-Options", "nosniff")
	if s.transport != "" {
		h.Set("Strict-Transport-Security", s.transport)
	}
}

// transportSecurity keeps browsers from ever asking this host in clear again
// (RFC 6797). Not for localhost, where the promise would bind every other
// server of a developer, and not for the host's sub-domains, which belong to
// others.
func transportSecurity(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "localhost" {
		return ""
	}
	return "max-age=31536000"
}
