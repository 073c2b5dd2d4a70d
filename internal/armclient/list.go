package armclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	twinkey "github.com/twinkey/twinkey"
)

// maxPages ends a list whose pages never do.
const maxPages = 10000

// List sends r, a GET, and returns the elements of every page. The pages are
// not one snapshot.
func (c *Client) List(ctx context.Context, token twinkey.Secret, r Request) ([]json.RawMessage, error) {
	resp, err := c.Do(ctx, token, r)
	var all []json.RawMessage
	for range maxPages {
		if err != nil {
			return nil, err
		}
		var page struct {
			Value    []json.RawMessage `json:"value"`
			NextLink string            `json:"nextLink"`
			OData    string            `json:"@odata.nextLink"` // Microsoft Graph's (OData JSON Format 4.01, section 4.6.5)
		}
		if err := resp.Decode(&page); err != nil {
			return nil, err
		}
		all = append(all, page.Value...)
		if r.AtMost > 0 && len(all) >= r.AtMost {
			return all[:r.AtMost], nil
		}
		next := orText(page.NextLink, page.OData)
		if next == "" {
			return all, nil
		}
		resp, err = c.follow(ctx, token, next, "next link", r.Command)
	}
	return nil, twinkey.Errorf(twinkey.TooLarge, "the list has more than %d pages", maxPages)
}

// follow GETs a URL the server named.
func (c *Client) follow(ctx context.Context, token twinkey.Secret, link, what, command string) (*Response, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, twinkey.Errorf(twinkey.Unreadable, "the server named a %s that is no URL", what)
	}
	u = c.endpoint.ResolveReference(u)
	if !sameOrigin(c.endpoint, u) {
		return nil, twinkey.Errorf(twinkey.Unsupported, "the server named a %s on %s; it is refused, because the token is for %s alone", what, twinkey.Printable(u.Host, 100), c.endpoint)
	}
	header := http.Header{"Accept": {"application/json"}}
	if command != "" {
		header.Set("CommandName", command)
	}
	return c.finish(ctx, call{method: http.MethodGet, url: u.String(), header: header, token: token, repeatable: true})
}
