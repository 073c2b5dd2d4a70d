package gateway

import (
	"net/http"
	"strconv"

	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/http1"
)

// preflight answers a browser that asks whether a page of another origin may
// call, where a route allows it (Fetch Standard, "CORS-preflight request").
// Such a question never carries a key, and its answer opens nothing.
func preflight(w http.ResponseWriter, r *http.Request, services *catalog.Catalog) bool {
	asked := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || asked == "" {
		return false
	}
	path, ok := cleanPath(target(r))
	if !ok {
		return false
	}
	origin := r.Header.Get("Origin")
	rules := services.CORS(path, origin)
	answer, ok := rules.Preflight(origin, asked, r.Header.Get("Access-Control-Request-Headers"))
	if !ok {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", answer.Methods)
	if answer.Headers != "" {
		h.Set("Access-Control-Allow-Headers", answer.Headers)
	}
	if rules.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(rules.MaxAge.Seconds())))
	}
	w.WriteHeader(http.StatusNoContent)
	return true
}

// allowOrigin lets a page of another origin read an answer, where the route
// allows it.
func allowOrigin(h http.Header, origin string, rules *catalog.CORS) {
	if origin == "" {
		return
	}
	if rules != nil {
		h.Del(originAllowed)
	}
	for _, f := range originHeaders(origin, rules) {
		if f.Is("Vary") {
			h.Add(f.Name, f.Value)
		} else {
			h.Set(f.Name, f.Value)
		}
	}
}

// originAllowed is a header whose value, where a route has rules, is for the
// gateway to say and not for the upstream.
const originAllowed = "Access-Control-Allow-Origin"

// originHeaders is what an answer to a page of this origin says.
func originHeaders(origin string, rules *catalog.CORS) []http1.Field {
	if origin == "" || !rules.Allows(origin) {
		return nil
	}
	return []http1.Field{{Name: "Vary", Value: "Origin"}, {Name: originAllowed, Value: origin}, {Name: originExposed, Value: "*"}}
}

const originExposed = "Access-Control-Expose-Headers"
