package arm

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// ETag is the entity tag of a resource at a revision, with its quotation marks.
func ETag(revision twinkey.Revision) string { return fmt.Sprintf(`"%x"`, int64(revision)) }

// parsePrecondition reads If-Match and If-None-Match (RFC 9110, section 13.1;
// Azure Resource Manager RPC, Addendum.md, "ETags for resources").
func parsePrecondition(h http.Header) (accounts.Precondition, error) {
	var cond accounts.Precondition
	match := strings.TrimSpace(strings.Join(h.Values("If-Match"), ","))
	switch {
	case match == "":
	case match == "*":
		cond.MatchAny = true
	case strings.Contains(match, ","):
		return cond, twinkey.Errorf(twinkey.Invalid, "If-Match must be '*' or one ETag.")
	default:
		revision := parseETag(match)
		cond.Match = &revision
	}
	switch none := strings.TrimSpace(strings.Join(h.Values("If-None-Match"), ",")); none {
	case "":
	case "*":
		cond.Absent = true
	default:
		return cond, twinkey.Errorf(twinkey.Invalid, "If-None-Match must be '*'.")
	}
	return cond, nil
}

// noRevision is no resource's: a tag that this server cannot have given, or a
// weak one, matches nothing.
const noRevision twinkey.Revision = -1

func parseETag(tag string) twinkey.Revision {
	digits := tag
	if len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		digits = tag[1 : len(tag)-1]
	}
	n, err := strconv.ParseInt(digits, 16, 64)
	if err != nil || n < 0 || ETag(twinkey.Revision(n)) != `"`+digits+`"` {
		return noRevision
	}
	return twinkey.Revision(n)
}
