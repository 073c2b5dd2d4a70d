package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/twinkey/twinkey"
)

const (
	maxHeaders     = 50
	maxHeaderValue = 8 << 10 // bytes
)

var (
	headerName   = expression("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")
	headerValue  = expression(`^[!-~]([ -~\t]*[!-~])?$`)
	variableName = expression(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// ownHeaders are those that say how a message is carried, or that the gateway
// sets itself (RFC 9110, sections 7.2, 7.6.1 and 10.1.1).
var ownHeaders = []string{
	"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// Sources is where the secrets come from that a file only names.
type Sources struct {
	Getenv   func(name string) (string, bool)
	ReadFile func(path string) (content []byte, at string, err error) // at is the path it was found under
}

// SystemSources are the environment and the file system; a relative path is
// looked for beside the services file.
func SystemSources(services string) Sources {
	return Sources{
		Getenv: os.LookupEnv,
		ReadFile: func(path string) ([]byte, string, error) {
			if !filepath.IsAbs(path) {
				path = filepath.Join(filepath.Dir(services), path)
			}
			info, err := os.Stat(path)
			if err == nil && !info.Mode().IsRegular() {
				err = errors.New("not a regular file")
			}
			if err != nil {
				return nil, path, err
			}
			data, err := readAtMost(path, maxHeaderValue+2)
			return data, path, err
		},
	}
}

// headers reads what the gateway adds to calls, by name.
func (r *report) headers(f field) []Header {
	if f.node == nil {
		return nil
	}
	var out []Header
	for _, p := range r.pairs(f.node, "upstreamHeaders") {
		h := Header{Name: textproto.CanonicalMIMEHeaderKey(p.name)}
		switch {
		case !headerName().MatchString(p.name):
			r.addf(p.line, "%q is not the name of a header", twinkey.Printable(p.name, 80))
			continue
		case slices.Contains(ownHeaders, h.Name) || hasPrefix(h.Name, "X-Twinkey-", "X-Forwarded-"):
			r.addf(p.line, "header %s is the gateway's own", h.Name)
			continue
		case slices.ContainsFunc(out, func(o Header) bool { return o.Name == h.Name }):
			r.addf(p.line, "header %s is listed twice", h.Name)
			continue
		}
		h.Value = r.secret(p.value, h.Name)
		out = append(out, h)
	}
	if len(out) > maxHeaders {
		r.addf(f.line, "upstreamHeaders has more than %d headers", maxHeaders)
	}
	slices.SortFunc(out, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// secret finds the value of a header. What is wrong with it is said without
// quoting anything: somebody may have put the secret itself in the place of its
// name.
func (r *report) secret(n *yaml.Node, name string) twinkey.Secret {
	entry := r.fields(n, "header "+name, "env", "file", "value", "prefix")
	if entry == nil {
		return twinkey.Secret{}
	}
	var from field
	var read func(string) (string, string)
	given := 0
	for _, source := range []struct {
		name string
		read func(string) (text, fault string)
	}{
		{"env", r.fromVariable}, {"file", r.fromFile},
		{"value", func(text string) (string, string) { return text, "" }},
	} {
		if entry[source.name].node != nil {
			from, read, given = entry[source.name], source.read, given+1
		}
	}
	if given != 1 {
		r.addf(n.Line, "header %s must have one of env, file and value", name)
		return twinkey.Secret{}
	}
	source, ok := r.text(from.node, "header "+name)
	if !ok {
		return twinkey.Secret{}
	}
	prefix := ""
	if entry["prefix"].node != nil {
		prefix, _ = r.text(entry["prefix"].node, "prefix")
	}
	text, fault := read(source)
	if fault == "" {
		fault = valueFault(prefix, text)
	}
	if fault != "" {
		r.addf(from.line, "the value of header %s %s", name, fault)
		return twinkey.Secret{}
	}
	return twinkey.NewSecret(prefix + text)
}

func valueFault(prefix, text string) string {
	switch {
	case text == "":
		return "is empty"
	case len(prefix+text) > maxHeaderValue:
		return fmt.Sprintf("is longer than %d bytes", maxHeaderValue)
	case !headerValue().MatchString(prefix + text):
		return "cannot be sent: a value is visible ASCII, with spaces only between"
	}
	return ""
}

func (r *report) fromVariable(name string) (text, fault string) {
	if !variableName().MatchString(name) {
		return "", "is to come from an environment variable, and env does not hold the name of one"
	}
	text, ok := r.sources.Getenv(name)
	if !ok {
		return "", "is to come from an environment variable that is not set"
	}
	return text, ""
}

// fromFile reads a file that holds a value and nothing else but the end of its
// line.
func (r *report) fromFile(path string) (text, fault string) {
	data, at, err := r.sources.ReadFile(path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return "", "is to come from a file that cannot be read: " + err.Error()
	}
	r.files = append(r.files, at)
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), ""
}

func hasPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
