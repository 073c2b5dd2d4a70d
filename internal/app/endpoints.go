package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/twinkey/twinkey"
)

// Endpoints says where a server is and whose it is. It is written to
// endpoints.json in the data directory, for client-env.
type Endpoints struct {
	Endpoint       string `json:"endpoint"`  // management
	Authority      string `json:"authority"` // where tokens come from
	TenantID       string `json:"tenantId"`
	SubscriptionID string `json:"subscriptionId"`
	CAFile         string `json:"caFile"`
	Gateway        string `json:"gateway"`
	GatewayHTTP    string `json:"gatewayHttp,omitempty"`
	Ops            string `json:"ops,omitempty"`
	ConfigDir      string `json:"configDir"`
}

// write replaces endpoints.json as a whole.
func (e Endpoints) write(dir string) error {
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "endpoints.json"), append(data, '\n'), 0o644)
}

// listeners are the sockets, taken before anything else is opened.
type listeners struct {
	management  net.Listener
	gateway     net.Listener
	gatewayHTTP net.Listener // nil if off
	ops         net.Listener // nil if off
}

// listen takes the addresses and works out the URLs that clients are told.
func (a *App) listen(context.Context) error {
	c := a.config
	for _, l := range []struct {
		flag, address string
		to            *net.Listener
	}{
		{"--listen", c.Listen, &a.listeners.management},
		{"--gateway-listen", c.GatewayListen, &a.listeners.gateway},
		{"--gateway-http", c.GatewayHTTP, &a.listeners.gatewayHTTP},
		{"--ops-listen", c.OpsListen, &a.listeners.ops},
	} {
		if l.address == "" {
			continue
		}
		listener, err := net.Listen("tcp", l.address)
		if err != nil {
			return twinkey.Wrap(err, twinkey.Invalid, "The address %s cannot be listened on: %v. Stop what uses it, or give another with %s.", l.address, reason(err), l.flag)
		}
		a.undo = append(a.undo, func() { _ = listener.Close() })
		*l.to = listener
	}
	var err error
	if a.endpoints.Endpoint, err = publicURL(c.PublicURL, "--public-url", a.listeners.management); err != nil {
		return err
	}
	if a.endpoints.Gateway, err = publicURL(c.GatewayURL, "--gateway-url", a.listeners.gateway); err != nil {
		return err
	}
	a.endpoints.Authority = a.endpoints.Endpoint
	if l := a.listeners.gatewayHTTP; l != nil {
		a.endpoints.GatewayHTTP = "http://" + reachable(l)
	}
	if l := a.listeners.ops; l != nil {
		a.endpoints.Ops = "http://" + reachable(l)
	}
	if a.endpoints.ConfigDir, err = filepath.Abs(c.ConfigDir); err != nil {
		return fmt.Errorf("finding the configuration directory: %w", err)
	}
	return nil
}

// publicURL is what the operator said, checked, or what the listener implies.
func publicURL(given, flag string, l net.Listener) (string, error) {
	if given == "" {
		return "https://" + reachable(l), nil
	}
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return "", twinkey.Errorf(twinkey.Invalid, "'%s' is not a URL for %s. Expected https://HOST or https://HOST:PORT.", twinkey.Printable(given, 100), flag)
	}
	return "https://" + u.Host, nil
}

// reachable is a listener's address as a client on this machine can use it.
func reachable(l net.Listener) string {
	address := l.Addr().(*net.TCPAddr)
	if address.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", fmt.Sprint(address.Port))
	}
	return address.String()
}

// reason is the innermost cause of a network error.
func reason(err error) error {
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		return e.Err
	}
	return err
}

// writeFile replaces a file as a whole, or leaves the old one.
func writeFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
