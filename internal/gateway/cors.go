package gateway

import (
	"net/http"
	"strconv"

	"github.com/twinkey/twinkey/internal/catalog"
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
// allows it; what the upstream says about that itself does not count.
func allowOrigin(h http.Header, origin string, rules *catalog.CORS) {
	if origin == "" {
		return
	}
	if !rules.Allows(origin) {
		if rules != nil {
			h.Del("Access-Control-Allow-Origin")
		}
		return
	}
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "*")
}
