package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/http1"
)

// What a key token says of itself (Azure Speech and Translator, "Authentication":
// a token from issueToken lives 10 minutes).
const (
	keyTokenIssuer   = "urn:ms.cognitiveservices"
	keyTokenLifetime = 10 * time.Minute
	keyTokenPath     = "/sts/v1.0/issueToken"
)

// keyClaims bind a key token to the admission it was issued for: once the slot's
// generation differs, it is worth nothing.
type keyClaims struct {
	Issuer     string             `json:"iss"`
	Audience   string             `json:"aud"`
	Expires    int64              `json:"exp"`
	Region     string             `json:"region"`
	UID        twinkey.UID        `json:"subscription-id"`
	Product    string             `json:"product-id"`
	Resource   string             `json:"azure-resource-id"`
	Scope      string             `json:"scope"`
	Slot       twinkey.KeyName    `json:"twk_slot"`
	Generation twinkey.Generation `json:"twk_gen"`
}

// keyTokens issues and reads the tokens of POST /sts/v1.0/issueToken. The secret
// is shared by the gateways of one installation and opens no account by itself.
type keyTokens struct {
	secret []byte
	now    func() time.Time
}

// issue makes a token for an admission by key.
func (k keyTokens) issue(a Admission) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: k.secret}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("preparing to sign a key token: %w", err)
	}
	payload, err := json.Marshal(keyClaims{
		Issuer: keyTokenIssuer, Audience: keyTokenIssuer, Expires: k.now().Add(keyTokenLifetime).Unix(),
		Region: a.Account.Location, UID: a.Account.UID, Product: a.Account.Kind + "." + a.Account.SKU,
		Resource: a.Account.ID.String(), Scope: keyTokenIssuer, Slot: a.Slot, Generation: a.Generation,
	})
	if err != nil {
		return "", fmt.Errorf("encoding a key token: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a key token: %w", err)
	}
	return signed.CompactSerialize()
}

// read returns the admission a token was issued for, if it is one of ours and
// has not expired. Whether the generation still holds is for the table to say.
func (k keyTokens) read(text string) (keyClaims, bool) {
	if len(text) > 4096 || len(k.secret) == 0 {
		return keyClaims{}, false
	}
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return keyClaims{}, false
	}
	payload, err := parsed.Verify(k.secret)
	if err != nil {
		return keyClaims{}, false
	}
	var c keyClaims
	if json.Unmarshal(payload, &c) != nil || c.Issuer != keyTokenIssuer || c.Slot.Index() < 0 || c.Slot.Index() > 1 {
		return keyClaims{}, false
	}
	return c, k.now().Before(time.Unix(c.Expires, 0))
}

// asksForKeyToken reports whether a path is that of issueToken, in any case.
func asksForKeyToken(path string) bool { return strings.EqualFold(path, keyTokenPath) }

// keyTokenHeader is what the answer says of a token.
func keyTokenHeader() []http1.Field {
	return []http1.Field{{Name: "Content-Type", Value: "application/jwt; charset=us-ascii"}, {Name: "Cache-Control", Value: "no-store"}}
}
