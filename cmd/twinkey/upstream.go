package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/app"
)

// presetNames lists what can stand before the = of --upstream.
func presetNames() string {
	var names []string
	for _, p := range app.Presets() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// parseUpstreams reads the values of --upstream. It repeats none of them in its
// errors, since a URL may hold a password.
func parseUpstreams(values []string, services string) ([]app.Upstream, error) {
	if len(values) > 0 && services != "" {
		return nil, twinkey.Errorf(twinkey.Invalid, "--services and --upstream exclude each other: both say what services are behind the gateway.")
	}
	var out []app.Upstream
	for _, v := range values {
		preset, url, ok := strings.Cut(v, "=")
		if !ok || url == "" {
			return nil, twinkey.Errorf(twinkey.Invalid, "--upstream takes PRESET=URL, such as vllm=http://127.0.0.1:8000. Presets: %s.", presetNames())
		}
		out = append(out, app.Upstream{Preset: preset, URL: url})
	}
	return out, nil
}

// announce prints how to use the services that --upstream names: every indented
// line can be given to a shell as it is.
func announce(w io.Writer, c app.Config, e app.Endpoints) error {
	var b strings.Builder
	program := programName()
	done := map[string]bool{}
	for _, u := range c.Upstreams {
		if done[u.Preset] {
			continue
		}
		done[u.Preset] = true
		keys := fmt.Sprintf("%s cognitiveservices account keys list --resource-group %s --name %s", program, app.UpstreamGroup, u.Preset)
		fmt.Fprintf(&b, "\n%s is at %s/ for whoever has a key of the account %s in the group %s.\n", u.Preset, e.Gateway, u.Preset, app.UpstreamGroup)
		fmt.Fprintf(&b, "Once in each shell:\n  eval \"$(%s client-env sh --data-dir %s)\"\n  %s login --local --output none\n", program, shellWord(absolute(c.DataDir)), program)
		fmt.Fprintf(&b, "Its keys:\n  %s\nA call:\n  %s\n", keys, sampleCall(u.Preset, trust(c, e), keys+" --query key1 --output tsv", e.Gateway))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// trust is what curl needs to believe the gateway's certificate.
func trust(c app.Config, e app.Endpoints) string {
	if c.TLSCert != "" {
		return ""
	}
	return " --cacert " + shellWord(e.CAFile)
}

// silence is one second of it as a shell writes it: a WAVE file of 16 000
// samples a second, one channel, 16 bits.
const silence = `{ printf 'RIFF\044\175\000\000WAVEfmt \020\000\000\000\001\000\001\000\200\076\000\000\000\175\000\000\002\000\020\000data\000\175\000\000'; head -c 32000 /dev/zero; }`

// sampleCall is a call that the preset's service answers with 200. The key is
// not in it, but the command that shows the key.
func sampleCall(preset, trust, key, gateway string) string {
	call := fmt.Sprintf(`curl%s --header "Ocp-Apim-Subscription-Key: $(%s)" `, trust, key)
	switch preset {
	case "vllm":
		return call + gateway + "/v1/models"
	case "whisper":
		return silence + " | " + call + "--form 'file=@-;filename=silence.wav' --form model=whisper-1 " + gateway + "/v1/audio/transcriptions"
	case "azure-container":
		return call + gateway + "/status"
	}
	return call + gateway + "/"
}

// programName is how a shell finds this program: by its name if that leads here,
// else by its path.
func programName() string {
	own, err := os.Executable()
	if err != nil {
		return "twinkey"
	}
	if found, err := exec.LookPath("twinkey"); err == nil && sameFile(found, own) {
		return "twinkey"
	}
	return shellWord(own)
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
