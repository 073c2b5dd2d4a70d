package cli

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"

	"github.com/spf13/cobra"
)

// localKeyName is the local administrator's key, which a server writes beside
// its CA certificate.
const localKeyName = "local-admin.key"

type loginOptions struct {
	username             string
	password             string
	tenant               text
	servicePrincipal     bool
	local                bool
	keyFile              text
	allowNoSubscriptions bool
}

func newLogin(s *session) *cobra.Command {
	o := &loginOptions{}
	c := &cobra.Command{
		Use: "login", Short: "Log in to a server.",
		Long: "Without options, asks for a user's name and password.",
		Example: `twinkey login -u admin@twinkey.internal -p -
Log in as a user whose password is the next line of standard input.
twinkey login --local
Log in as this machine's local administrator.
twinkey login --service-principal -u APP-ID -p - --tenant TENANT-ID
Log in as an application whose secret is the next line of standard input.`,
	}
	f := c.Flags()
	f.StringVarP(&o.username, "username", "u", "", "`User` name, or application id with --service-principal.")
	f.StringVarP(&o.password, "password", "p", "", "`Password` or application secret; - reads it from standard input. Asked for if not given.")
	f.VarP(&o.tenant, "tenant", "t", "`Tenant` to log in to. Required with --service-principal.")
	f.BoolVar(&o.servicePrincipal, "service-principal", false, "Log in as an application.")
	f.BoolVar(&o.local, "local", false, "Log in as the local administrator, with "+localKeyName+" from beside TWINKEY_CA_FILE.")
	f.Var(&o.keyFile, "key-file", "Key `file` to use with --local.")
	f.BoolVar(&o.allowNoSubscriptions, "allow-no-subscriptions", false, "Log in even if no subscription is visible.")
	return s.leaf(c, nil, view{}, func(ctx context.Context) (any, error) { return o.run(ctx, s) })
}

func newLogout(s *session) *cobra.Command {
	var username string
	c := &cobra.Command{
		Use: "logout", Short: "Forget a login.",
		Example: "twinkey logout\nForget the login of the current subscription.",
	}
	c.Flags().StringVarP(&username, "username", "u", "", "`User` to forget; the current one if not given.")
	return s.leaf(c, nil, view{}, func(ctx context.Context) (any, error) { return nil, s.logout(ctx, username) })
}

func (o *loginOptions) run(ctx context.Context, s *session) (any, error) {
	st, err := s.store()
	if err != nil {
		return nil, err
	}
	loaded, err := st.load()
	if err != nil {
		return nil, err
	}
	t, err := s.target(&loaded.profile)
	if err != nil {
		return nil, err
	}
	if o.tenant != "" {
		t.tenant = string(o.tenant)
	}
	client, err := s.client(t)
	if err != nil {
		return nil, err
	}
	login, grant, err := o.credential(ctx, s, t)
	if err != nil {
		return nil, err
	}
	token, err := client.Token(ctx, t.tenant, grant)
	if err != nil {
		return nil, err
	}
	found, err := s.subscriptions(ctx, client, token.Access, login.User)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 && !o.allowNoSubscriptions {
		return nil, twinkey.Errorf(twinkey.SubscriptionNotFound, "No subscriptions found for %s.", login.User.Name)
	}
	tenant := t.tenant
	if len(found) > 0 {
		tenant = found[0].TenantID
	}
	login.keep(tenant, token)
	err = st.update(ctx, func(now *state) error {
		now.logIn(t, login, found, s.cfg.Getenv("TWINKEY_SUBSCRIPTION_ID"))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.loggedIn(st, t)
}

// logIn records a login in both files.
func (now *state) logIn(t target, login *storedLogin, found []subscription, preferred string) {
	if now.profile.Servers == nil {
		now.profile.Servers = map[string]*server{}
	}
	known := now.profile.Servers[t.endpoint]
	if known == nil {
		known = &server{}
		now.profile.Servers[t.endpoint] = known
	}
	known.Authority, known.CAFile = t.authority, absolute(t.caFile)
	known.merge(found, preferred)
	now.profile.Current = t.endpoint
	now.tokens.put(login)
}

// absolute keeps a relative file name good for other working directories.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// loggedIn lists what the server's subscriptions are now.
func (s *session) loggedIn(st store, t target) (any, error) {
	loaded, err := st.load()
	if err != nil {
		return nil, err
	}
	list := []any{}
	if known := loaded.profile.Servers[t.endpoint]; known != nil {
		for _, sub := range known.Subscriptions {
			list = append(list, sub.object("cloudName"))
		}
	}
	return list, nil
}

// credential decides how to log in and asks for what is missing.
func (o *loginOptions) credential(ctx context.Context, s *session, t target) (*storedLogin, armclient.Grant, error) {
	if o.local || o.keyFile != "" {
		return o.keyCredential(t)
	}
	if o.servicePrincipal && (o.username == "" || t.tenant == "") {
		return nil, armclient.Grant{}, twinkey.Errorf(twinkey.Invalid, "usage error: --service-principal --username APP-ID --password SECRET --tenant TENANT")
	}
	name, err := o.username, error(nil)
	if name == "" {
		if name, err = s.ask(ctx, "Username: "); err != nil {
			return nil, armclient.Grant{}, err
		}
	}
	password := twinkey.NewSecret(o.password)
	switch o.password {
	case "":
		password, err = s.askSecret(ctx, "Password: ")
	case "-":
		var line string
		line, err = s.readLine(ctx)
		password = twinkey.NewSecret(line)
	}
	if err != nil {
		return nil, armclient.Grant{}, err
	}
	if o.servicePrincipal {
		login := &storedLogin{credential: credential{t.endpoint, user{name, typeServicePrincipal}}, ClientSecret: password.Reveal()}
		return login, armclient.SecretGrant(name, password), nil
	}
	return &storedLogin{credential: credential{t.endpoint, user{name, typeUser}}}, armclient.PasswordGrant(name, password), nil
}

func (o *loginOptions) keyCredential(t target) (*storedLogin, armclient.Grant, error) {
	if o.username != "" || o.password != "" || o.servicePrincipal {
		return nil, armclient.Grant{}, twinkey.Errorf(twinkey.Invalid, "usage error: '--local' is not applicable with other credentials")
	}
	path := string(o.keyFile)
	if path == "" {
		if t.caFile == "" {
			return nil, armclient.Grant{}, twinkey.Errorf(twinkey.Invalid, "'--local' finds %s beside TWINKEY_CA_FILE, which is not set. Set it, or give '--key-file'.", localKeyName)
		}
		path = filepath.Join(filepath.Dir(t.caFile), localKeyName)
	}
	key, err := readKeyFile(path)
	if err != nil {
		return nil, armclient.Grant{}, err
	}
	login := &storedLogin{credential: credential{t.endpoint, user{key.ClientID, typeServicePrincipal}}, KeyFile: absolute(path)}
	return login, armclient.AssertionGrant(key), nil
}

// subscriptions asks the server which ones the token's owner may see.
func (s *session) subscriptions(ctx context.Context, client *armclient.Client, token twinkey.Secret, who user) ([]subscription, error) {
	elements, err := client.List(ctx, token, armclient.Request{
		Method: http.MethodGet, Path: []string{"subscriptions"}, APIVersion: subscriptionsVersion, Command: s.command,
	})
	if err != nil {
		return nil, err
	}
	var found []subscription
	for _, element := range elements {
		var listed struct {
			ID        string `json:"subscriptionId"`
			Name      string `json:"displayName"`
			State     string `json:"state"`
			TenantID  string `json:"tenantId"`
			ManagedBy []any  `json:"managedByTenants"`
		}
		if err := decodeInto(element, &listed); err != nil {
			return nil, err
		}
		found = append(found, subscription{
			ID: listed.ID, Name: listed.Name, State: listed.State, TenantID: listed.TenantID,
			ManagedByTenants: listed.ManagedBy, User: who,
		})
	}
	return found, nil
}

// logout forgets one user at the current server; "" means the current one.
func (s *session) logout(ctx context.Context, username string) error {
	st, err := s.store()
	if err != nil {
		return err
	}
	return st.update(ctx, func(now *state) error {
		none := twinkey.Errorf(twinkey.Invalid, "There are no active accounts.")
		t, err := s.target(&now.profile)
		known := now.profile.Servers[t.endpoint]
		if err != nil || known == nil {
			return none
		}
		if at := known.defaultAt(); username == "" && at >= 0 {
			username = known.Subscriptions[at].User.Name
		}
		for _, login := range now.tokens.Credentials {
			if login.Endpoint == t.endpoint && (username == "" || strings.EqualFold(login.User.Name, username)) {
				now.tokens.remove(login.credential)
				known.drop(login.User)
				none = nil
			}
		}
		return none
	})
}
