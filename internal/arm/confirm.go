package arm

import (
	"strconv"
	"strings"

	"github.com/twinkey/twinkey/internal/accounts"
)

// Confirm says in the headers what a change, or a showing of keys, came to, and
// returns r.
func (r *Response) Confirm(out accounts.Outcome) *Response {
	if out.Revision != 0 {
		r.Header.Set("x-twinkey-revision", strconv.FormatInt(int64(out.Revision), 10))
		r.Header.Set("x-twinkey-confirmed", confirmed(out.Pending))
	}
	if out.Generation != 0 {
		r.Header.Set("x-twinkey-generation", strconv.FormatUint(uint64(out.Generation), 10))
	}
	if out.Repeated {
		r.Header.Set("x-twinkey-repeated", "true")
	}
	if out.Joined {
		r.Header.Set("x-twinkey-joined", "true")
	}
	return r
}

func confirmed(pending []string) string {
	if len(pending) == 0 {
		return "all"
	}
	return "pending=" + strings.Join(pending, ",")
}
