package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/directory"
)

// What the first start makes. The domain is one that can never be registered
// (RFC 6762, appendix G, advises private use of names like it).
const (
	tenantName       = "Twinkey"
	tenantDomain     = "twinkey.internal"
	subscriptionName = "Twinkey"
	administrator    = "admin@" + tenantDomain
	localAdmin       = "local administrator"
	localAdminLife   = 100 * 365 * 24 * time.Hour
)

// AdminPasswordFile and LocalAdminFile are the credentials the first start
// leaves in the configuration directory, readable by their owner alone.
const (
	AdminPasswordFile = "admin-password"
	LocalAdminFile    = "local-admin.key"
)

// firstStart makes a tenant, an administrator, the built-in local administrator
// and a subscription. The subscription comes last and marks it as done; before
// that every step can be taken again, also after kill -9 in its middle.
func (a *App) firstStart(ctx context.Context) error {
	tenant, err := a.firstTenant(ctx)
	if err != nil {
		return err
	}
	a.endpoints.TenantID = tenant.ID
	subs, err := a.store.Subscriptions(ctx)
	if err != nil {
		return err
	}
	if len(subs) > 0 {
		a.endpoints.SubscriptionID = subs[0].ID
		return nil
	}
	admin, err := a.firstAdministrator(ctx, tenant)
	if err != nil {
		return err
	}
	local, err := a.firstLocalAdministrator(ctx, tenant)
	if err != nil {
		return err
	}
	sub := accounts.Subscription{ID: uuid.NewString(), Tenant: tenant.ID, Name: subscriptionName, State: accounts.SubscriptionEnabled}
	a.endpoints.SubscriptionID = sub.ID
	owner, _ := access.BuiltInByName("Owner")
	var owners []access.Assignment
	for _, p := range []twinkey.Principal{admin, local} {
		owners = append(owners, access.Assignment{ID: uuid.NewString(), RoleID: owner.ID, PrincipalID: p.ObjectID, PrincipalType: p.Type, CreatedOn: a.config.Now().UTC(), BuiltIn: p.ObjectID == local.ObjectID})
	}
	return a.accounts.Bootstrap(ctx, sub, owners...)
}

func (a *App) firstTenant(ctx context.Context) (directory.Tenant, error) {
	tenants, err := a.directory.Tenants(ctx)
	if err != nil {
		return directory.Tenant{}, err
	}
	if len(tenants) > 0 {
		return tenants[0], nil
	}
	tenant, _, err := a.directory.CreateTenant(ctx, system(), directory.NewTenant{Name: tenantName, Domains: []string{tenantDomain}})
	return tenant, err
}

// firstAdministrator leaves the password in its file before it counts.
func (a *App) firstAdministrator(ctx context.Context, tenant directory.Tenant) (twinkey.Principal, error) {
	path := filepath.Join(a.config.ConfigDir, AdminPasswordFile)
	text, err := readOrMake(path, func() ([]byte, error) {
		var b [18]byte
		_, _ = rand.Read(b[:])
		return []byte(base64.RawURLEncoding.EncodeToString(b[:]) + "\n"), nil
	})
	if err != nil {
		return twinkey.Principal{}, err
	}
	password := twinkey.NewSecret(strings.TrimSpace(string(text)))
	_, err = a.directory.CreateUser(ctx, system(), directory.NewUser{Tenant: tenant.ID, Name: administrator, DisplayName: "Administrator", Password: password})
	return a.nowThere(ctx, tenant, administrator, err)
}

// firstLocalAdministrator makes the key with which `twinkey login --local`
// signs an ordinary client assertion (RFC 7523).
func (a *App) firstLocalAdministrator(ctx context.Context, tenant directory.Tenant) (twinkey.Principal, error) {
	text, err := readOrMake(filepath.Join(a.config.ConfigDir, LocalAdminFile), newLocalAdmin)
	if err != nil {
		return twinkey.Principal{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return twinkey.Principal{}, fmt.Errorf("%s in %s is not in PEM form; remove it, and start again", LocalAdminFile, a.config.ConfigDir)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return twinkey.Principal{}, fmt.Errorf("reading %s: %w", LocalAdminFile, err)
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return twinkey.Principal{}, fmt.Errorf("%s holds a %T instead of an ECDSA key", LocalAdminFile, key)
	}
	public := jose.JSONWebKey{Key: private.Public(), KeyID: block.Headers[headerKeyID], Algorithm: string(jose.ES256), Use: "sig"}
	jwk, err := public.MarshalJSON()
	if err != nil {
		return twinkey.Principal{}, fmt.Errorf("encoding the public key of the local administrator: %w", err)
	}
	app := block.Headers[headerClientID]
	_, err = a.directory.CreateServicePrincipal(ctx, system(), directory.NewServicePrincipal{
		Tenant: tenant.ID, AppID: app, Name: localAdmin, Key: jwk, NotAfter: a.config.Now().Add(localAdminLife), BuiltIn: true})
	return a.nowThere(ctx, tenant, app, err)
}

// nowThere finds a principal that was just made, or had been made by an attempt
// before that was interrupted.
func (a *App) nowThere(ctx context.Context, tenant directory.Tenant, name string, err error) (twinkey.Principal, error) {
	if err != nil && twinkey.KindOf(err) != twinkey.NameTaken {
		return twinkey.Principal{}, err
	}
	rec, err := a.directory.Find(ctx, tenant.ID, name)
	return rec.Principal(), err
}

// The headers of the local administrator's PEM file.
const (
	headerClientID = "Twinkey-Client-Id"
	headerKeyID    = "Twinkey-Key-Id"
)

func newLocalAdmin() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{headerClientID: uuid.NewString(), headerKeyID: uuid.NewString()}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: headers, Bytes: der}), nil
}

// readOrMake returns a private file's content, made first if it is absent.
func readOrMake(path string, make func() ([]byte, error)) ([]byte, error) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	if text, err = make(); err != nil {
		return nil, err
	}
	return text, writeFile(path, text, 0o600)
}

// system is who the log names for what a server does before anybody can sign in.
func system() twinkey.Caller {
	return twinkey.Caller{Principal: twinkey.Principal{Name: "twinkey", ObjectID: uuid.Nil.String()}, RequestID: uuid.NewString()}
}
