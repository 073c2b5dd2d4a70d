package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/twinkey/twinkey/examples/textanalytics"
	"github.com/twinkey/twinkey/internal/app"
	"github.com/twinkey/twinkey/internal/etcdnode"
)

// patience bounds what a script waits for; nothing depends on how long it is.
const patience = time.Minute

type worldKey struct{}

// world is what the commands of one script share.
type world struct {
	dir     string
	arrived chan struct{}      // a held call is at the upstream
	letGo   context.CancelFunc // lets it be answered
	held    chan error         // what came of it
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// upstream FILE... starts the text service, sets UPSTREAM to its URL and writes
// that for $UPSTREAM in the files. Calls below /text/analytics/held/ wait for
// release.
func upstream(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	var released context.Context
	released, w.letGo = context.WithCancel(context.Background())
	w.arrived = make(chan struct{}, 1)
	text := textanalytics.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/text/analytics/held/") {
			w.arrived <- struct{}{}
			<-released.Done()
			_, _ = io.WriteString(rw, "released")
			return
		}
		text.ServeHTTP(rw, r)
	}))
	ts.Defer(func() { w.letGo(); server.Close() })
	ts.Setenv("UPSTREAM", server.URL)
	for _, file := range args {
		filled := strings.ReplaceAll(ts.ReadFile(file), "$UPSTREAM", server.URL)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(filled), 0o600))
	}
}

// waitReady DIR waits until the server on the data directory answers.
func waitReady(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(args[0])
	until(ts, "the server on "+dir+" answers", func() error {
		e, client, err := reach(dir)
		if err != nil {
			return err
		}
		defer client.CloseIdleConnections()
		resp, err := client.Get(e.Endpoint + "/metadata/endpoints?api-version=2022-09-01")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

// waitGone DIR waits until nobody listens at the gateway's address any more.
func waitGone(ts *testscript.TestScript, neg bool, args []string) {
	e, _, err := reach(ts.MkAbs(args[0]))
	ts.Check(err)
	u, err := url.Parse(e.Gateway)
	ts.Check(err)
	until(ts, "the gateway has stopped listening", func() error {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			return nil
		}
		return errors.Join(errors.New("it still listens"), conn.Close())
	})
}

// until tries until there is no error.
func until(ts *testscript.TestScript, what string, try func() error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("waited in vain until %s: %v", what, err)
		case <-tick.C:
		}
	}
}

// reach reads where a server says it is, and makes a client that trusts it.
func reach(dir string) (app.Endpoints, *http.Client, error) {
	var e app.Endpoints
	text, err := os.ReadFile(filepath.Join(dir, "endpoints.json"))
	if err != nil {
		return e, nil, err
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, nil, err
	}
	pem, err := os.ReadFile(e.CAFile)
	if err != nil {
		return e, nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return e, &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
}

// clientEnv DIR does what eval "$(twinkey client-env sh --data-dir DIR)" does.
func clientEnv(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec("twinkey", "client-env", "sh", "--data-dir", args[0]))
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile("stdout")))
	for lines.Scan() {
		assignment, ok := strings.CutPrefix(lines.Text(), "export ")
		name, value, isSet := strings.Cut(assignment, "=")
		if !ok || !isSet || len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			ts.Fatalf("client-env printed %q", lines.Text())
		}
		ts.Setenv(name, value[1:len(value)-1])
	}
}

// exits CODE PROGRAM ARGS... checks the exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	err, code := ts.Exec(args[1], args[2:]...), 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// capture VAR [FIELD] keeps the last output, or a field of the JSON object in
// it, in a variable.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	if len(args) > 1 {
		var object map[string]any
		ts.Check(json.Unmarshal([]byte(text), &object))
		text, _ = object[args[1]].(string)
	}
	if text == "" {
		ts.Fatalf("there is nothing to keep")
	}
	ts.Setenv(args[0], text)
}

// call STATUS [KEY] calls the text service through the gateway; an answer of
// 200 must be the service's own.
func call(ts *testscript.TestScript, neg bool, args []string) {
	body := `{"documents":[{"id":"1","text":"Der Zug nach Hamburg hat heute leider eine halbe Stunde Verspätung."}]}`
	status, answer, err := post(ts, "/text/analytics/v3.1/languages", strings.Join(args[1:], ""), body)
	ts.Check(err)
	if fmt.Sprint(status) != args[0] {
		ts.Fatalf("the gateway answered %d, want %s", status, args[0])
	}
	if (status == http.StatusOK) != strings.Contains(answer, `"name":"German"`) {
		ts.Fatalf("the gateway answered %d %s", status, answer)
	}
}

func post(ts *testscript.TestScript, path, key, body string) (int, string, error) {
	pem, err := os.ReadFile(ts.Getenv("TWINKEY_CA_FILE"))
	if err != nil {
		return 0, "", err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("TWINKEY_GATEWAY")+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Ocp-Apim-Subscription-Key", key)
	}
	resp, err := (&http.Client{Transport: transport, Timeout: patience}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

// hold KEY makes a call that the upstream does not answer before release.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	w.held = make(chan error, 1)
	go func() {
		status, answer, err := post(ts, "/text/analytics/held/1", args[0], "")
		if err == nil && (status != http.StatusOK || answer != "released") {
			err = fmt.Errorf("the held call was answered %d %s", status, answer)
		}
		w.held <- err
	}()
	select {
	case <-w.arrived:
	case err := <-w.held:
		ts.Fatalf("the held call ended early: %v", err)
	}
}

// release lets the held call be answered, and checks that it is.
func release(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	select {
	case err := <-w.held:
		ts.Fatalf("the held call ended before it was released: %v", err)
	default:
	}
	w.letGo()
	ts.Check(<-w.held)
}

// sigterm sends SIGTERM to the newest program in the background.
func sigterm(ts *testscript.TestScript, neg bool, args []string) {
	all := ts.BackgroundCmds()
	ts.Check(all[len(all)-1].Process.Signal(syscall.SIGTERM))
}

// setFormat DIR N marks the store as written by a version that knows format N.
func setFormat(ts *testscript.TestScript, neg bool, args []string) {
	format, err := strconv.Atoi(args[1])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	node, err := etcdnode.Start(ctx, etcdnode.Config{Dir: ts.MkAbs(args[0]), Log: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	_, err = node.Client().Put(ctx, "/tk/format", fmt.Sprintf(`{"format":%d}`, format))
	ts.Check(errors.Join(err, node.Stop(ctx)))
}
