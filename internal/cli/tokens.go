package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
)

// tokens is tokens.json: how to get tokens, and those that are still good.
type tokens struct {
	Version     int            `json:"version"`
	Credentials []*storedLogin `json:"credentials,omitempty"`
}

// credential names one login: who, at which server.
type credential struct {
	Endpoint string `json:"endpoint"`
	User     user   `json:"user"`
}

// storedLogin holds secrets in clear, as the Azure CLI's files do; the file's
// mode is what protects them.
type storedLogin struct {
	credential
	RefreshToken string                  `json:"refreshToken,omitempty"`
	ClientSecret string                  `json:"clientSecret,omitempty"`
	KeyFile      string                  `json:"keyFile,omitempty"`
	Access       map[string]*accessToken `json:"access,omitempty"` // by tenant
}

// accessToken is one token and when it ends.
type accessToken struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

func (a *accessToken) secret() twinkey.Secret { return twinkey.NewSecret(a.Token) }

// earlyBy is how long before its end a token is replaced.
const earlyBy = 2 * time.Minute

func (t *tokens) find(c credential) *storedLogin {
	for _, login := range t.Credentials {
		if login.credential == c {
			return login
		}
	}
	return nil
}

// put replaces what was stored of the same login.
func (t *tokens) put(login *storedLogin) {
	t.remove(login.credential)
	t.Credentials = append(t.Credentials, login)
}

func (t *tokens) remove(c credential) {
	var kept []*storedLogin
	for _, login := range t.Credentials {
		if login.credential != c {
			kept = append(kept, login)
		}
	}
	t.Credentials = kept
}

// good returns the login's token for the tenant if it lasts a while.
func (l *storedLogin) good(tenant string, now time.Time) *accessToken {
	if token := l.Access[tenant]; token != nil && now.Add(earlyBy).Before(token.Expires) {
		return token
	}
	return nil
}

func (l *storedLogin) keep(tenant string, token armclient.Token) *accessToken {
	kept := &accessToken{Token: token.Access.Reveal(), Expires: token.Expires}
	if l.Access == nil {
		l.Access = map[string]*accessToken{}
	}
	l.Access[tenant] = kept
	if !token.Refresh.IsZero() {
		l.RefreshToken = token.Refresh.Reveal()
	}
	return kept
}

// grant is how the login gets its next token.
func (l *storedLogin) grant(program string) (armclient.Grant, error) {
	switch {
	case l.KeyFile != "":
		key, err := readKeyFile(l.KeyFile)
		if err != nil {
			return armclient.Grant{}, err
		}
		return armclient.AssertionGrant(key), nil
	case l.ClientSecret != "":
		return armclient.SecretGrant(l.User.Name, twinkey.NewSecret(l.ClientSecret)), nil
	case l.RefreshToken != "":
		return armclient.RefreshGrant(twinkey.NewSecret(l.RefreshToken)), nil
	}
	return armclient.Grant{}, errNotLoggedIn(program)
}

func readKeyFile(path string) (*armclient.AssertionKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key file: %w", err)
	}
	key, err := armclient.ParseAssertionKey(text)
	if err != nil {
		return nil, fmt.Errorf("reading the key file %s: %w", path, err)
	}
	return key, nil
}

// token returns a good access token for the tenant: the stored one, or a new one
// that is then stored. Commands that find it expired at the same time take
// turns, so that one of them asks and the others find the answer.
func (s *session) token(ctx context.Context, st store, loaded *state, client *armclient.Client, c credential, tenant string) (*accessToken, error) {
	login := loaded.tokens.find(c)
	if login == nil {
		return nil, errNotLoggedIn(s.program)
	}
	if token := login.good(tenant, s.cfg.Now()); token != nil {
		return token, nil
	}
	var got *accessToken
	err := st.update(ctx, func(now *state) error {
		login := now.tokens.find(c)
		if login == nil {
			return errNotLoggedIn(s.program)
		}
		if got = login.good(tenant, s.cfg.Now()); got != nil {
			return nil
		}
		grant, err := login.grant(s.program)
		if err != nil {
			return err
		}
		token, err := client.Token(ctx, tenant, grant)
		if err != nil {
			return err
		}
		got = login.keep(tenant, token)
		return nil
	})
	return got, err
}
