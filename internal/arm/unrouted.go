package arm

import (
	"net/http"
	"slices"
	"strings"

	"github.com/twinkey/twinkey"
)

// managed reports whether a path is one that Resource Manager could have.
func managed(segments []string) bool {
	if len(segments) == 0 {
		return false
	}
	switch strings.ToLower(segments[0]) {
	case "subscriptions", "providers", "tenants":
		return true
	}
	return false
}

// elsewhere answers a path that is no management path: most likely a call of a
// web API that went to the wrong address.
func (s *surface) elsewhere(r *http.Request, segments []string) error {
	return twinkey.Errorf(twinkey.RouteNotFound,
		"There is nothing at %s %s. This address is for management; calls of the web API go to %s.",
		twinkey.Printable(r.Method, 20), twinkey.Printable(joinPath(segments), 200), s.config.GatewayURL)
}

// unrouted says why a management path has no route, in the forms Azure has.
func (s *surface) unrouted(w http.ResponseWriter, r *http.Request, segments []string, m match, version string) error {
	if len(m.allowed) > 0 {
		slices.Sort(m.allowed)
		w.Header().Set("Allow", strings.Join(m.allowed, ", "))
		return twinkey.Errorf(twinkey.MethodNotAllowed, "The method %s is not supported at this path. Supported: %s.", twinkey.Printable(r.Method, 20), strings.Join(m.allowed, ", "))
	}
	at := lastProvider(segments)
	if at < 0 {
		if m.id.Subscription == "" {
			return WithCode("MissingSubscription", twinkey.Errorf(twinkey.RouteNotFound, "The request did not have a subscription or a valid tenant level resource provider."))
		}
		return twinkey.Errorf(twinkey.RouteNotFound, "There is no operation %s %s.", twinkey.Printable(r.Method, 20), twinkey.Printable(joinPath(segments), 300))
	}
	namespace, known := s.router.namespaces[twinkey.Fold(segments[at])]
	if !known {
		return WithCode("InvalidResourceNamespace", twinkey.Errorf(twinkey.RouteNotFound, "The resource namespace '%s' is invalid.", twinkey.Printable(segments[at], 100)))
	}
	var types []string
	for i := at + 1; i < len(segments); i += 2 {
		types = append(types, segments[i])
	}
	return WithCode("InvalidResourceType", twinkey.Errorf(twinkey.RouteNotFound,
		"The resource type '%s' could not be found in the namespace '%s' for api version '%s'. The supported api-versions are '%s'.",
		twinkey.Printable(strings.Join(types, "/"), 100), namespace, version, strings.Join(Versions(), ",")))
}

// lastProvider is the index of the last resource provider namespace in a path,
// -1 if there is none.
func lastProvider(segments []string) int {
	for i := len(segments) - 1; i > 0; i-- {
		if strings.EqualFold(segments[i-1], "providers") {
			return i
		}
	}
	return -1
}
