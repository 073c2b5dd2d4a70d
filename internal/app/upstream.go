package app

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/directory"
)

// UpstreamGroup is the resource group of the accounts that a server makes for
// its Upstreams. Each account is named like its preset.
const UpstreamGroup = "default"

// What those accounts have besides a kind.
const (
	upstreamLocation = "local"
	upstreamSKU      = "S0"
)

// Upstream is a service that a server offers without a services file.
type Upstream struct {
	Preset string // the name of one
	URL    string // scheme, host, port and the path that calls go below
}

// Preset is what a kind of upstream needs: the paths by which clients know it,
// and an account.
type Preset struct {
	Name   string
	Kind   string
	routes []presetRoute
}

type presetRoute struct{ path, rewrite string }

// Presets lists what can be an Upstream. The paths are those that Azure's and
// OpenAI's own clients call.
func Presets() []Preset {
	const deployments = "/openai/deployments/{deployment}/"
	return []Preset{
		{"vllm", "OpenAI", []presetRoute{
			{deployments, "/v1/"}, {"/openai/v1/", "/v1/"}, {"/openai/", "/v1/"}, {"/models/", "/v1/"}, {"/v1/", ""}}},
		{"whisper", "SpeechServices", []presetRoute{
			{deployments + "audio/", "/v1/audio/"}, {"/openai/v1/audio/", "/v1/audio/"}, {"/v1/audio/", ""}}},
		{"azure-container", "CognitiveServices", []presetRoute{{"/", ""}}},
		{"generic", "Generic", []presetRoute{{"/", ""}}},
	}
}

func findPreset(name string) (Preset, error) {
	var names []string
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Preset{}, twinkey.Errorf(twinkey.Invalid, "'%s' is not a kind of upstream. Allowed values: %s.", twinkey.Printable(name, 40), strings.Join(names, ", "))
}

// upstreamCatalog is what a services file for the upstreams would say. Several
// upstreams of one preset share its calls.
func upstreamCatalog(upstreams []Upstream) (*catalog.Catalog, error) {
	urls := map[string][]string{}
	for _, u := range upstreams {
		p, err := findPreset(u.Preset)
		if err != nil {
			return nil, err
		}
		urls[p.Name] = append(urls[p.Name], u.URL)
	}
	var services []any
	for _, p := range Presets() {
		if urls[p.Name] == nil {
			continue
		}
		s := p.service(urls[p.Name])
		if _, err := parseServices(s); err != nil {
			return nil, twinkey.Errorf(twinkey.Invalid, "What --upstream says of %s cannot be used: %s.", p.Name, firstProblem(err))
		}
		services = append(services, s)
	}
	return parseServices(services...)
}

// service is the entry of a services file. JSON is YAML (YAML 1.2, section 1.3).
func (p Preset) service(urls []string) any {
	var routes []any
	for _, r := range p.routes {
		route := map[string]any{"path": r.path, "upstreams": urls}
		if r.rewrite != "" {
			route["rewrite"] = r.rewrite
		}
		routes = append(routes, route)
	}
	return map[string]any{"kind": p.Kind, "skus": []any{map[string]any{"name": upstreamSKU}}, "routes": routes}
}

func parseServices(services ...any) (*catalog.Catalog, error) {
	text, err := json.Marshal(map[string]any{"services": services})
	if err != nil {
		return nil, err
	}
	return catalog.Parse("--upstream", text)
}

// firstProblem is what is wrong, without a line of a file nobody wrote.
func firstProblem(err error) string {
	if problems, ok := errors.AsType[catalog.Problems](err); ok {
		return problems[0].Msg
	}
	return err.Error()
}

// provide makes an account for each preset in use, as the local administrator.
// One that is there stays as it is, whoever has changed it since.
func (a *App) provide(ctx context.Context) error {
	done := map[string]bool{}
	for _, u := range a.config.Upstreams {
		p, err := findPreset(u.Preset)
		if err != nil {
			return err
		}
		if done[p.Name] {
			continue
		}
		done[p.Name] = true
		if err := a.provideAccount(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) provideAccount(ctx context.Context, p Preset) error {
	id := twinkey.ResourceID{Subscription: a.endpoints.SubscriptionID, Group: UpstreamGroup, Account: p.Name}
	existing, err := a.store.Account(ctx, id)
	if err != nil {
		return err
	}
	if existing != nil {
		if !strings.EqualFold(existing.Kind, p.Kind) {
			return twinkey.Errorf(twinkey.KindConflict, "The account '%s' in the group '%s' is of kind '%s', and --upstream %s needs one of kind '%s'. Delete it, or write a services file for both.", p.Name, UpstreamGroup, existing.Kind, p.Name, p.Kind)
		}
		return nil
	}
	who, err := a.localAdministrator(ctx)
	if err != nil {
		return err
	}
	group, err := a.store.Group(ctx, id.Parent())
	if err != nil {
		return err
	}
	if group == nil {
		if _, _, err := a.accounts.PutGroup(ctx, who, id.Parent(), accounts.GroupSpec{Location: upstreamLocation}, accounts.Precondition{}); err != nil {
			return err
		}
	}
	spec := accounts.AccountSpec{Kind: p.Kind, Location: upstreamLocation, SKU: upstreamSKU}
	_, _, _, err = a.accounts.PutAccount(ctx, who, id, spec, accounts.Precondition{})
	return err
}

// localAdministrator is whom the key of the first start stands for, if it is
// good still.
func (a *App) localAdministrator(ctx context.Context) (twinkey.Caller, error) {
	text, err := os.ReadFile(filepath.Join(a.config.ConfigDir, LocalAdminFile))
	if errors.Is(err, fs.ErrNotExist) {
		return twinkey.Caller{}, twinkey.Errorf(twinkey.Forbidden, "--upstream makes an account as the local administrator, whose key %s is not in %s. Put it back, or write a services file and make an account yourself.", LocalAdminFile, a.config.ConfigDir)
	}
	if err != nil {
		return twinkey.Caller{}, fmt.Errorf("reading the local administrator's key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return twinkey.Caller{}, fmt.Errorf("%s in %s is not in PEM form", LocalAdminFile, a.config.ConfigDir)
	}
	named, keys, err := a.directory.KeysOf(ctx, a.endpoints.TenantID, block.Headers[headerClientID])
	if err != nil {
		return twinkey.Caller{}, err
	}
	at := slices.IndexFunc(keys, func(k directory.Key) bool { return k.KeyID == block.Headers[headerKeyID] })
	if at < 0 {
		return twinkey.Caller{}, twinkey.Errorf(twinkey.Forbidden, "--upstream makes an account as the local administrator, and the key %s in %s is none of that one's any more.", LocalAdminFile, a.config.ConfigDir)
	}
	who, err := a.directory.Resolve(ctx, a.endpoints.TenantID, named.ObjectID, keys[at].ID)
	if err != nil {
		return twinkey.Caller{}, err
	}
	request := uuid.NewString()
	return twinkey.Caller{Principal: who, RequestID: request, CorrelationID: request}, nil
}
