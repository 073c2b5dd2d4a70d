package directory

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/twinkey/twinkey"
)

// Record is the document of one principal. An application and its service
// principal are one document with one object id.
type Record struct {
	Tenant      string                `json:"tenant"`   // GUID, lower case
	ObjectID    string                `json:"objectId"` // GUID, lower case
	Type        twinkey.PrincipalType `json:"type"`
	AppID       string                `json:"appId,omitempty"` // GUID, lower case
	Name        string                `json:"name"`            // user principal name, or display name of an application or group
	DisplayName string                `json:"displayName,omitempty"`
	Nickname    string                `json:"nickname,omitempty"`    // of a user or group; not unique
	Description string                `json:"description,omitempty"` // of a group
	BuiltIn     bool                  `json:"builtIn,omitempty"`     // the last way in: neither deleted nor disabled
	Disabled    bool                  `json:"disabled,omitempty"`    // of a group: being deleted
	Created     time.Time             `json:"created"`
	Password    *Password             `json:"password,omitempty"`
	Secrets     []Secret              `json:"secrets,omitempty"`
	Keys        []Key                 `json:"keys,omitempty"`
	Groups      []string              `json:"groups,omitempty"` // object ids of those it is a member of
}

// Password is a user's password as Argon2id leaves it (RFC 9106).
type Password struct {
	ID   string `json:"id"` // another one for each password set
	Cost Cost   `json:"cost"`
	Salt []byte `json:"salt"`
	Hash []byte `json:"hash"`
}

// Secret is a client secret: 256 random bits, of which the digest is kept.
type Secret struct {
	ID       string         `json:"id"`
	Name     string         `json:"name,omitempty"`
	Hint     string         `json:"hint"` // the first random characters, to tell secrets apart
	Digest   twinkey.Digest `json:"digest"`
	Created  time.Time      `json:"created"`
	NotAfter time.Time      `json:"notAfter"`
}

// Key is a public key with which an application signs assertions.
type Key struct {
	ID               string          `json:"id"`
	Name             string          `json:"name,omitempty"`
	JWK              json.RawMessage `json:"jwk"` // RFC 7517, public members only
	KeyID            string          `json:"kid,omitempty"`
	ThumbprintSHA1   string          `json:"x5t,omitempty"`      // unpadded base64url
	ThumbprintSHA256 string          `json:"x5t#S256,omitempty"` // unpadded base64url
	Created          time.Time       `json:"created"`
	NotAfter         time.Time       `json:"notAfter"`
}

// Principal is the identity the record describes.
func (r *Record) Principal() twinkey.Principal {
	return twinkey.Principal{
		Tenant: r.Tenant, ObjectID: r.ObjectID, Type: r.Type, AppID: r.AppID,
		Name: r.Name, Groups: slices.Clone(r.Groups),
	}
}

// Names are the names the principal is found by, besides its object id. They
// never change.
func (r *Record) Names() []string {
	switch r.Type {
	case twinkey.User:
		return []string{twinkey.Fold(r.Name)}
	case twinkey.ServicePrincipal:
		return []string{r.AppID}
	}
	return nil
}

// holds reports whether the credential exists and has not expired.
func (r *Record) holds(credentialID string, now time.Time) bool {
	if credentialID == "" {
		return false
	}
	if r.Password != nil && r.Password.ID == credentialID {
		return true
	}
	for _, c := range r.Secrets {
		if c.ID == credentialID {
			return now.Before(c.NotAfter)
		}
	}
	for _, c := range r.Keys {
		if c.ID == credentialID {
			return now.Before(c.NotAfter)
		}
	}
	return false
}
