package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/web"
)

// The lengths of a page of a list (Microsoft Graph, "Paging Microsoft Graph
// data": 100 unless asked for, and at most 999).
const (
	usualPage = 100
	maxPage   = 999
)

// request is a call, decoded.
type request struct {
	who   twinkey.Caller
	query options
	names map[string]string // variables of the route's pattern
	body  []byte
}

// options are the query options that are understood (OData 4.01, "System Query
// Options").
type options struct {
	filter string
	top    int    // how many to return
	given  bool   // top was asked for
	after  string // object id that the page before ended with
}

// parseOptions reads a query string. $select and $count ask for less, or for
// more beside, and are passed over; what would change which objects are
// returned, or in which order, is refused.
func parseOptions(raw string) (options, error) {
	o := options{top: usualPage}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return o, twinkey.Errorf(twinkey.Invalid, "The query string of the request is not valid.")
	}
	for name, all := range values {
		value := all[0]
		if len(all) > 1 {
			return o, twinkey.Errorf(twinkey.Invalid, "Query option '%s' was specified more than once, but it must be specified at most once.", twinkey.Printable(name, 60))
		}
		if !utf8.ValidString(value) {
			return o, twinkey.Errorf(twinkey.Invalid, "The value of the query option '%s' is not UTF-8.", twinkey.Printable(name, 60))
		}
		switch strings.ToLower(name) {
		case "$filter", "filter":
			o.filter = value
		case "$top", "top":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxPage {
				return o, withCode("Request_UnsupportedQuery", twinkey.Errorf(twinkey.Invalid, "Invalid page size specified: '%s'. Must be between 1 and %d inclusive.", twinkey.Printable(value, 20), maxPage))
			}
			o.top, o.given = n, true
		case "$skiptoken":
			after, err := base64.RawURLEncoding.DecodeString(value)
			if err != nil || !twinkey.IsGUID(string(after)) {
				return o, twinkey.Errorf(twinkey.Invalid, "The value of $skiptoken is invalid. Use the @odata.nextLink of the page before as it is.")
			}
			o.after = string(after)
		case "$select", "$count":
		default:
			if strings.HasPrefix(name, "$") {
				return o, withCode("Request_UnsupportedQuery", twinkey.Errorf(twinkey.Invalid, "The query option '%s' is not supported. Supported: $filter, $top.", twinkey.Printable(name, 60)))
			}
		}
	}
	return o, nil
}

// decode reads the body as one JSON object into v. A property that v does not
// have is refused: what it asks for would not be done.
func (r *request) decode(v any) error {
	if err := web.ParseJSON(r.body, v); err != nil {
		return err
	}
	if trimmed := bytes.TrimSpace(r.body); trimmed[0] != '{' {
		return twinkey.Errorf(twinkey.Unreadable, "The request body must be a JSON object.")
	}
	dec := json.NewDecoder(bytes.NewReader(r.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return twinkey.Errorf(twinkey.Invalid, "Invalid property %s: it is unknown, or not supported by this server.", twinkey.Printable(name, 80))
		}
		return twinkey.Wrap(err, twinkey.Unreadable, "The request body is not valid JSON.")
	}
	return nil
}

// list is the envelope of a list.
type list struct {
	Context  string `json:"@odata.context"`
	NextLink string `json:"@odata.nextLink,omitempty"`
	Value    []any  `json:"value"`
}

// odata is what objects carry beside their properties.
type odata struct {
	Context string `json:"@odata.context,omitempty"`
	Type    string `json:"@odata.type,omitempty"`
}

func (s *surface) context(of string) string {
	return s.config.PublicURL + Prefix + "/$metadata#" + of
}

// entity is what a single object of a collection carries.
func (s *surface) entity(collection string) odata {
	return odata{Context: s.context(collection + "/$entity")}
}

// listOf makes a list that goes on after an object id, "" if it does not.
func (s *surface) listOf(path, of string, values []any, req *request, after string) list {
	if values == nil {
		values = []any{}
	}
	l := list{Context: s.context(of), Value: values}
	if after != "" {
		q := url.Values{"$skiptoken": {base64.RawURLEncoding.EncodeToString([]byte(after))}}
		if req.query.filter != "" {
			q.Set("$filter", req.query.filter)
		}
		if req.query.given {
			q.Set("$top", strconv.Itoa(req.query.top))
		}
		l.NextLink = s.config.PublicURL + Prefix + "/" + path + "?" + q.Encode()
	}
	return l
}
