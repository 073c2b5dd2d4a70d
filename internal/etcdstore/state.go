package etcdstore

import (
	"bytes"
	"encoding/hex"
	"unicode/utf8"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// stateReader reads of accounts what gateways are told of them. A start reads
// every account there is, and encoding/json takes ten times as long.
//
// It knows documents as this version writes them. Whatever surprises it - an
// escape, a name in another casing, one that comes twice, a type, rules for
// addresses - it leaves to encoding/json, so that the two
// cannot disagree about what a gateway decides by. What is beside that it passes over.
type stateReader struct {
	data []byte
	at   int
	ok   bool // nothing has been a surprise

	// Texts that the next account probably has as well.
	subscription, group, kind, location, sku, access string
}

// read fails if the document cannot be read by any means.
func (r *stateReader) read(kv *mvccpb.KeyValue) (twinkey.AccountState, error) {
	var a accounts.Account
	if r.account(kv.Value, &a) {
		return a.State(), nil
	}
	a, err := readAccount(kv)
	return a.State(), err
}

func (r *stateReader) account(data []byte, a *accounts.Account) bool {
	r.data, r.at, r.ok = data, 0, true
	r.object(func(name []byte) int {
		switch string(name) {
		case "id":
			r.id(&a.ID)
			return 0
		case "uid":
			a.UID = twinkey.UID(r.text(""))
			return 1
		case "kind":
			a.Kind = r.text(r.kind)
			r.kind = a.Kind
			return 2
		case "location":
			a.Location = r.text(r.location)
			r.location = a.Location
			return 3
		case "sku":
			a.SKU = r.text(r.sku)
			r.sku = a.SKU
			return 4
		case "properties":
			r.properties(&a.Properties)
			return 5
		case "slots":
			r.slots(&a.Slots)
			return 6
		}
		return r.other(name, "id", "uid", "kind", "location", "sku", "properties", "slots")
	})
	r.space()
	return r.ok && r.at == len(data)
}

func (r *stateReader) id(id *twinkey.ResourceID) {
	r.object(func(name []byte) int {
		switch string(name) {
		case "subscription":
			id.Subscription = r.text(r.subscription)
			r.subscription = id.Subscription
			return 0
		case "group":
			id.Group = r.text(r.group)
			r.group = id.Group
			return 1
		case "account":
			id.Account = r.text("")
			return 2
		}
		return r.other(name, "subscription", "group", "account")
	})
}

func (r *stateReader) properties(p *accounts.Properties) {
	r.object(func(name []byte) int {
		switch string(name) {
		case "customSubDomainName":
			p.CustomSubDomainName = r.text("")
			return 0
		case "disableLocalAuth":
			p.DisableLocalAuth = r.boolean()
			return 1
		case "publicNetworkAccess":
			p.PublicNetworkAccess = r.text(r.access)
			r.access = p.PublicNetworkAccess
			return 2
		}
		if string(name) == "networkAcls" {
			r.ok = false
		}
		return r.other(name, "customSubDomainName", "disableLocalAuth", "publicNetworkAccess", "networkAcls")
	})
}

func (r *stateReader) slots(slots *[2]accounts.Slot) {
	for i, before := range []byte("[,") {
		r.expect(before)
		r.object(func(name []byte) int {
			switch string(name) {
			case "generation":
				slots[i].Generation = twinkey.Generation(r.number())
				return 0
			case "digest":
				r.digest(&slots[i].Digest)
				return 1
			}
			return r.other(name, "generation", "digest")
		})
	}
	r.expect(']')
}

// other passes over the value of a name that is none of those known, in no
// casing: encoding/json would take it for one.
func (r *stateReader) other(name []byte, known ...string) int {
	for _, k := range known {
		if len(k) <= len(name) && bytes.EqualFold(name, []byte(k)) {
			r.ok = false
		}
	}
	r.skip(0)
	return -1
}

// object calls member with each name; member reads the value and returns the
// name's number, -1 for one that may come again.
func (r *stateReader) object(member func(name []byte) int) {
	seen := 0
	r.expect('{')
	for first := true; r.ok; first = false {
		switch c := r.peek(); {
		case c == '}':
			r.at++
			return
		case !first:
			r.expect(',')
		}
		name := r.raw()
		r.expect(':')
		if !r.ok {
			return
		}
		if number := member(name); number >= 0 {
			r.ok = r.ok && seen&(1<<number) == 0
			seen |= 1 << number
		}
	}
}

// text reads a string, and returns the likely one if it is that.
func (r *stateReader) text(likely string) string {
	raw := r.raw()
	switch {
	case string(raw) == likely:
		return likely
	case !utf8.Valid(raw):
		r.ok = false
		return "" // not to be likely the next time
	}
	return string(raw)
}

func (r *stateReader) digest(d *twinkey.Digest) {
	raw := r.raw()
	if len(raw) != 2*len(d) {
		r.ok = false
		return
	}
	_, err := hex.Decode(d[:], raw)
	r.ok = r.ok && err == nil
}

// raw reads a string without escapes.
func (r *stateReader) raw() []byte {
	r.expect('"')
	if !r.ok {
		return nil
	}
	rest := r.data[r.at:]
	for i, c := range rest {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		r.ok = c == '"'
		r.at += i + 1
		return rest[:i]
	}
	r.ok = false
	return nil
}

func (r *stateReader) number() uint64 {
	var n uint64
	r.space()
	from := r.at
	for ; r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9'; r.at++ {
		n = n*10 + uint64(r.data[r.at]-'0')
	}
	digits := r.at - from
	r.ok = r.ok && digits > 0 && digits < 19 && (digits == 1 || r.data[from] != '0')
	return n
}

func (r *stateReader) boolean() *bool {
	value := r.peek() == 't'
	if value {
		r.literal("true")
	} else {
		r.literal("false")
	}
	return &value
}

// maxDepth is far below what encoding/json takes.
const maxDepth = 100

// skip passes over one value.
func (r *stateReader) skip(depth int) {
	if depth > maxDepth {
		r.ok = false
		return
	}
	switch r.peek() {
	case '{':
		r.object(func([]byte) int {
			r.skip(depth + 1)
			return -1
		})
	case '[':
		r.array(depth)
	case '"':
		r.raw()
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		r.number()
	}
}

func (r *stateReader) array(depth int) {
	r.expect('[')
	for first := true; r.ok; first = false {
		switch c := r.peek(); {
		case c == ']' && first:
			r.at++
			return
		case !first:
			if c == ']' {
				r.at++
				return
			}
			r.expect(',')
		}
		r.skip(depth + 1)
	}
}

func (r *stateReader) literal(word string) {
	r.ok = r.ok && bytes.HasPrefix(r.data[r.at:], []byte(word))
	r.at += len(word)
}

func (r *stateReader) expect(c byte) {
	r.ok = r.peek() == c && r.ok
	r.at++
}

// peek is the next byte that is not white space, 0 at the end.
func (r *stateReader) peek() byte {
	r.space()
	if r.at < len(r.data) {
		return r.data[r.at]
	}
	return 0
}

func (r *stateReader) space() {
	for r.at < len(r.data) && (r.data[r.at] == ' ' || r.data[r.at] == '\n' || r.data[r.at] == '\t' || r.data[r.at] == '\r') {
		r.at++
	}
}
