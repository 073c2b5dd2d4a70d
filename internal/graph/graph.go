// Package graph speaks the part of Microsoft Graph that tools use beside role
// assignments: users, groups, applications and their credentials.
//
// An application and its service principal are one record here, with one object
// id: what is created, changed or deleted in one collection is so in the other.
//
// It refuses to store or check anything itself, to show a secret twice, and to
// pass over a property, a filter or an option it does not understand.
package graph

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/directory"
	"github.com/twinkey/twinkey/internal/web"
)

const (
	// Prefix is where the paths of this surface begin. What follows it in other
	// versions of Graph is answered under the same shapes.
	Prefix = "/v1.0"
	beta   = "/beta"

	maxBody   = 1 << 20 // the largest request body, in bytes
	timeLimit = 60 * time.Second
)

// Authenticator says whom a bearer token speaks for. It fails with kind
// Unauthenticated, TokenExpired or WrongAudience, or with what kept it from
// finding out.
type Authenticator interface {
	Authenticate(ctx context.Context, bearer string) (twinkey.Principal, error)
}

// Permissions decides whether a caller may do an action at a scope. It fails
// with kind Forbidden.
type Permissions interface {
	Readable(ctx context.Context, who twinkey.Caller, action string, scope twinkey.ResourceID) error
}

// Config is what the surface needs; every field is required.
type Config struct {
	PublicURL     string // where clients reach this surface, for example "https://keys.example.com:8443"
	Authenticator Authenticator
	Permissions   Permissions
	Directory     *directory.Service
	Now           func() time.Time
}

// Matches reports whether a path is one of this surface.
func Matches(path string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	return strings.EqualFold("/"+first, Prefix) || strings.EqualFold("/"+first, beta)
}

// New is the surface.
func New(config Config) http.Handler {
	config.PublicURL = strings.TrimRight(config.PublicURL, "/")
	s := &surface{config: config, directory: config.Directory}
	s.routes = s.table()
	return web.Handle(s.answer, WriteError)
}

// surface answers the calls.
type surface struct {
	config    Config
	directory *directory.Service
	routes    []route
}

// answer is the order of a call: the token, the route, the permission, and only
// then the body and what the path names.
func (s *surface) answer(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), timeLimit)
	defer cancel()
	req := &request{who: web.Caller(r)}
	w.Header().Set("request-id", req.who.RequestID)
	if req.who.ClientRequestID != "" {
		w.Header().Set("client-request-id", req.who.ClientRequestID)
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if err := s.authenticate(ctx, w, r, req); err != nil {
		return err
	}
	segments, err := splitPath(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	route, err := s.find(w, r.Method, segments, req)
	if err != nil {
		return err
	}
	if req.query, err = parseOptions(r.URL.RawQuery); err != nil {
		return err
	}
	if route.changes {
		if err := s.config.Permissions.Readable(ctx, req.who, accounts.ActionWriteAssignment, twinkey.ResourceID{}); err != nil {
			return err
		}
	}
	if r.Method != http.MethodGet {
		if req.body, err = web.ReadBody(w, r, maxBody); err != nil {
			return err
		}
	}
	status, body, err := route.handle(ctx, req)
	if err != nil {
		return err
	}
	if body == nil {
		w.WriteHeader(status)
		return nil
	}
	return web.WriteJSON(w, status, body)
}

// authenticate finds out who calls (RFC 6750, section 3).
func (s *surface) authenticate(ctx context.Context, w http.ResponseWriter, r *http.Request, req *request) error {
	values := r.Header.Values("Authorization")
	err := twinkey.Errorf(twinkey.Unauthenticated, "Access token is empty.")
	if len(values) == 1 {
		scheme, bearer, _ := strings.Cut(values[0], " ")
		if bearer = strings.TrimSpace(bearer); strings.EqualFold(scheme, "Bearer") && bearer != "" {
			req.who.Principal, err = s.config.Authenticator.Authenticate(ctx, bearer)
		}
	}
	if err == nil {
		web.Note(r).Caller = req.who.Label()
		return nil
	}
	if status, _ := statusOf(err); status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="", authorization_uri="%s/common/oauth2/authorize"`, s.config.PublicURL))
	}
	return err
}
