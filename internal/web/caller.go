package web

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/netip"
	"unicode"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

// maxClientRequestID is the longest client request id that is kept, in
// characters; a GUID has 36.
const maxClientRequestID = 64

// Caller returns what is known of whoever sent r before anybody has proved who
// they are: the ids of the request and the peer's address. The principal is
// zero; a surface fills it in.
func Caller(r *http.Request) twinkey.Caller {
	if rec, ok := r.Context().Value(recordKey{}).(*Record); ok {
		return rec.facts
	}
	return facts(r)
}

// facts reads the ids of a request (Azure Resource Manager RPC,
// common-api-details.md, "Client Request Headers").
func facts(r *http.Request) twinkey.Caller {
	who := twinkey.Caller{
		RequestID:       newGUID(),
		ClientRequestID: clientRequestID(r.Header.Get("x-ms-client-request-id")),
	}
	who.CorrelationID = who.RequestID
	if id := r.Header.Get("x-ms-correlation-request-id"); twinkey.IsGUID(id) {
		who.CorrelationID = id
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		who.Address = peer.Addr().Unmap().WithZone("")
	}
	return who
}

// clientRequestID drops an id that does not fit as a whole: two ids cut to the
// same text would be taken for one request sent twice.
func clientRequestID(id string) string {
	if !utf8.ValidString(id) || utf8.RuneCountInString(id) > maxClientRequestID {
		return ""
	}
	for _, c := range id {
		if !unicode.IsPrint(c) {
			return ""
		}
	}
	return id
}

// newGUID draws a random GUID (RFC 9562, section 5.4).
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}
