// Package catalog knows which services there are: the kinds an account can
// have, their SKUs and locations, and which of the operator's upstreams a call
// to each path goes to. It reads them from services.yaml, checks that file as a
// whole and hands out a catalog that never changes; a Holder swaps one for the
// next.
//
// It refuses to guess: a file with any problem gives no catalog, and every
// problem is named with its line. It opens no connection, takes no upstream
// from anywhere but the file, and decides nothing about who may call.
//
// The file:
//
//	services:
//	  - kind: TextAnalytics
//	    locations: [westeurope, local]   # left out: any location
//	    skus:
//	      - {name: F0, callsPerMinute: 20}
//	      - {name: S}                    # no rate: not limited
//	    routes:
//	      - path: /text/analytics/
//	        upstream:                    # by the account's location, which locations must list
//	          westeurope: http://127.0.0.1:5000
//	          local: [http://10.0.0.1:5000, http://10.0.0.2:5000]
//	  - kind: OpenAI
//	    skus: [{name: S0}]
//	    routes:
//	      - path: /openai/deployments/{deployment}/
//	        rewrite: /v1/                # replaces what path matches; may repeat {deployment}
//	        upstreams: [http://10.0.0.1:8000, http://10.0.0.2:8000/base]
//	        timeout: 60s                 # until the answer begins; left out: the gateway's own
//	        upstreamHeaders:
//	          Authorization: {env: VLLM_KEY, prefix: "Bearer "} # or file: PATH, or value: TEXT
//	        cors:
//	          origins: ["https://app.example.com"] # or ["*"]
//	          methods: [GET, POST]       # left out: any
//	          headers: [Content-Type]    # left out: any
//	          maxAge: 10m
//	      - {path: /v1/, upstream: "http://10.0.0.1:8000"}
//	  - kind: CognitiveServices
//	    skus: [{name: S0}]
//	    includes: [TextAnalytics]        # its keys open these services' routes too
package catalog

import "slices"

// Catalog is everything one file says. It does not change; the zero value has
// no kinds.
type Catalog struct {
	kinds  []Kind
	byName map[string]int // lower-case name -> index of kinds
	files  []string       // that secrets came from
}

// Kinds lists the kinds in the order of the file.
func (c *Catalog) Kinds() []Kind { return slices.Clone(c.kinds) }

// Files lists the files that values of upstream headers came from. When one of
// them changes, the catalog is out of date.
func (c *Catalog) Files() []string { return slices.Clone(c.files) }

// CORS finds out, for a browser's call from another origin that carries no key
// yet, whether a route for path allows it, whatever the account: the settings
// of the first kind that does, nil if none does.
func (c *Catalog) CORS(path, origin string) *CORS {
	for _, k := range c.kinds {
		if p := k.table.find(path); p != nil && p.routes[0].CORS.Allows(origin) {
			return p.routes[0].CORS
		}
	}
	return nil
}

// Kind finds a kind by its name in any case. It does not allocate.
func (c *Catalog) Kind(name string) (Kind, bool) {
	// Names are at most 64 ASCII letters, digits and dots, so a fixed buffer
	// folds them, and the map is asked without making a string.
	var lower [maxKindName]byte
	if len(name) > len(lower) {
		return Kind{}, false
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	i, ok := c.byName[string(lower[:len(name)])]
	if !ok {
		return Kind{}, false
	}
	return c.kinds[i], true
}
