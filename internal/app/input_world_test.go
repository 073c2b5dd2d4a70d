package app_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twinkey/twinkey/internal/testenv"
)

// inputWorld is a server, and what a caller needs to send it bad input: a token,
// a key, and a way to write requests that no client would.
type inputWorld struct {
	t          *testing.T
	env        *testenv.Env
	roots      *x509.CertPool
	token, key string
	sub, group string // paths
}

func newInputWorld(t *testing.T) *inputWorld {
	t.Helper()
	e := testenv.Start(t, testenv.Options{Services: `services:
  - kind: CognitiveServices
    skus: [{name: S0}]
    routes: [{path: /text/, upstream: "{{upstream}}"}]
`})
	admin := e.Admin(t)
	w := &inputWorld{t: t, env: e, roots: x509.NewCertPool(), token: admin.Token.Reveal(), key: admin.CreateAccount(t, "g", "acct")[0]}
	w.sub = "/subscriptions/" + e.Endpoints.SubscriptionID
	w.group = w.sub + "/resourceGroups/g"
	pem, err := os.ReadFile(e.Endpoints.CAFile)
	if err != nil || !w.roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate in the CA file", err)
	}
	return w
}

// expand puts the world's own names and secrets into a text.
func (w *inputWorld) expand(text string) string {
	return strings.NewReplacer("{sub}", w.sub, "{group}", w.group, "{acct}", w.group+"/providers/Microsoft.CognitiveServices/accounts/acct",
		"{token}", w.token, "{key}", w.key, "{v}", "api-version=2025-06-01").Replace(text)
}

// reply is what came back on a connection of its own.
type reply struct {
	status int
	header http.Header
	body   string
}

// send writes bytes to the server at a URL, over TLS, and reads all answers
// until the server has no more; cut says to it that nothing will follow.
func (w *inputWorld) send(at, text string, cut bool) []reply {
	w.t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		w.t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{RootCAs: w.roots})
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil { // ends only when the test fails
		w.t.Fatal(err)
	}
	go func() {
		_, _ = io.WriteString(conn, text) // the server may have had enough before the end
		if cut {
			_ = conn.CloseWrite()
		}
	}()
	var all []reply
	method, _, _ := strings.Cut(text, " ")
	for r := bufio.NewReader(conn); ; {
		answer, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return all
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return all
		}
		all = append(all, reply{answer.StatusCode, answer.Header, string(body)})
	}
}

// call is send for one request with a body of its own length.
func (w *inputWorld) call(at, line, body string, headers ...string) reply {
	w.t.Helper()
	text := w.expand(line) + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
	for _, h := range headers {
		text += w.expand(h) + "\r\n"
	}
	if body != "" {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	all := w.send(at, text+"\r\n"+w.expand(body), false)
	if len(all) != 1 {
		w.t.Errorf("%.200q got %d answers", line, len(all))
		return reply{}
	}
	return all[0]
}

// refused expects a refusal in a surface's own form.
func (w *inputWorld) refused(what string, r reply, inForm func(reply) bool, statuses ...int) {
	w.t.Helper()
	ok := r.status >= 400 && r.status < 500
	for _, s := range statuses {
		if ok = r.status == s; ok {
			break
		}
	}
	if !ok || !inForm(r) {
		w.t.Errorf("%.300q: %d %v %.300q, want %v", what, r.status, r.header, r.body, statuses)
	}
}

// The forms of the surfaces' refusals: ARM's and the gateway's, Graph's, and the
// token endpoint's.

func inARM(r reply) bool {
	var body struct {
		Error struct{ Code, Message string }
	}
	err := json.Unmarshal([]byte(r.body), &body)
	return err == nil && body.Error.Code != "" && body.Error.Message != "" && r.header.Get("X-Ms-Error-Code") == body.Error.Code && r.header.Get("X-Ms-Request-Id") != ""
}

func inGateway(r reply) bool {
	var body struct {
		Error struct{ Code, Message string }
	}
	err := json.Unmarshal([]byte(r.body), &body)
	return err == nil && body.Error.Code != "" && body.Error.Message != "" && r.header.Get("Content-Type") == "application/json"
}

func inGraph(r reply) bool {
	var body struct {
		Error struct {
			Code, Message string
			InnerError    map[string]string
		}
	}
	err := json.Unmarshal([]byte(r.body), &body)
	return err == nil && body.Error.Code != "" && body.Error.Message != "" && body.Error.InnerError["request-id"] != ""
}

func inEntra(r reply) bool {
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
	}
	err := json.Unmarshal([]byte(r.body), &body)
	return err == nil && body.Error != "" && strings.HasPrefix(body.Description, "AADSTS") && len(body.Codes) == 1
}

// inAny is for what HTTP itself forbids: the library that reads it answers.
func inAny(r reply) bool { return true }

// everyByte calls with every byte, percent-encoded.
func (w *inputWorld) everyByte(call func(string)) {
	for b := range 256 {
		call(fmt.Sprintf("%%%02x", b))
	}
}

var fault = regexp.MustCompile(`(?m)^.*(msg=panic|level=ERROR|status=5\d\d).*$`)

// unharmed expects that everything works and is as it was, that the log speaks of
// no fault of the server's, and that no caller has written a line of it.
func (w *inputWorld) unharmed() {
	w.t.Helper()
	if line := fault.FindString(w.env.Log()); line != "" {
		w.t.Errorf("the log says: %s", line)
	}
	for line := range strings.Lines(w.env.Log()) {
		if !strings.HasPrefix(line, "time=") || !strings.HasSuffix(line, "\n") {
			w.t.Errorf("a line of the log is not the server's own: %q", line)
		}
	}
	if !strings.Contains(w.env.Log(), "status=4") {
		w.t.Error("the log has no refusal: nothing was looked at")
	}
	r := w.call(w.env.Endpoints.Endpoint, "GET {acct}?{v}", "", "Authorization: Bearer {token}")
	if r.status != 200 || strings.Contains(r.body, `"tags"`) {
		w.t.Errorf("the account is now: %d %s", r.status, r.body)
	}
	if keys := w.env.Admin(w.t).Keys(w.t, "g", "acct"); keys[0] != w.key {
		w.t.Error("key 1 has changed")
	}
	if status, body := w.env.Detect(w.t, w.env.Client(w.t), w.key, text); status != 200 {
		w.t.Errorf("a good call: %d %s", status, body)
	}
	var list struct{ Value []struct{ Name string } }
	r = w.call(w.env.Endpoints.Endpoint, "GET {sub}/resourceGroups?{v}", "", "Authorization: Bearer {token}")
	if err := json.NewDecoder(bytes.NewReader([]byte(r.body))).Decode(&list); err != nil || len(list.Value) != 1 {
		w.t.Errorf("the groups are now: %s, %v", r.body, err)
	}
}
