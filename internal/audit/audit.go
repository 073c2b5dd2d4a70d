// Package audit is the activity log's vocabulary: what was done, to what, by
// whom, and when.
//
// It refuses to hold a key, a token or a request body, to decide anything, and
// to store anything: an entry is written by the transaction it belongs to.
package audit

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/twinkey/twinkey"
)

// Entry is one event of the activity log.
type Entry struct {
	ID              string            `json:"id"` // sorts by time, unique, stable
	At              time.Time         `json:"at"`
	Action          string            `json:"action"` // as in role definitions
	Scope           string            `json:"scope"`
	Tenant          string            `json:"tenant,omitempty"`
	ObjectID        string            `json:"objectId"`
	Caller          string            `json:"caller"` // user principal name or application id
	RequestID       string            `json:"requestId,omitempty"`
	CorrelationID   string            `json:"correlationId,omitempty"`
	ClientRequestID string            `json:"clientRequestId,omitempty"`
	Address         string            `json:"address,omitempty"`
	Details         map[string]string `json:"details,omitempty"`
}

// New makes the entry for what who did to scope at a moment. Details come in
// pairs of name and value.
func New(who twinkey.Caller, at time.Time, action string, scope twinkey.ResourceID, details ...string) Entry {
	e := Entry{
		ID: newID(at), At: at.UTC(), Action: action, Scope: scope.String(),
		Tenant: who.Tenant, ObjectID: who.ObjectID, Caller: who.Label(),
		RequestID: who.RequestID, CorrelationID: who.CorrelationID, ClientRequestID: who.ClientRequestID,
	}
	if who.Address.IsValid() {
		e.Address = who.Address.String()
	}
	for i := 0; i+1 < len(details); i += 2 {
		if e.Details == nil {
			e.Details = map[string]string{}
		}
		e.Details[details[i]] = details[i+1]
	}
	return e
}

// Hour is the bucket of the log the entry belongs to: yyyymmddhh in UTC.
func (e Entry) Hour() string { return e.At.UTC().Format("2006010215") }

// newID is the time in nanoseconds and 64 random bits, in hexadecimal.
func newID(at time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return fmt.Sprintf("%016x%s", at.UnixNano(), hex.EncodeToString(random[:]))
}
