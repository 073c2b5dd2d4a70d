// Package dist_test checks what the program is installed with: that it names
// files, flags and directories that exist, and gives away no more than is needed.
package dist_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const top = ".."

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// instruction is one of a Dockerfile: its name and the rest of the line.
type instruction struct{ name, rest string }

func dockerfile(t *testing.T) []instruction {
	t.Helper()
	var all []instruction
	for line := range strings.Lines(read(t, "Dockerfile")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, ok := strings.Cut(line, " ")
		if !ok || strings.HasSuffix(rest, `\`) {
			t.Fatalf("%q is more than this test understands", line)
		}
		all = append(all, instruction{name, strings.TrimSpace(rest)})
	}
	return all
}

func only(t *testing.T, all []instruction, name string) string {
	t.Helper()
	var found []string
	for _, i := range all {
		if i.name == name {
			found = append(found, i.rest)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the Dockerfile has %s %d times", name, len(found))
	}
	return found[0]
}

func words(t *testing.T, text string) []string {
	t.Helper()
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%s is not in the exec form: %v", text, err)
	}
	return list
}

// The image is built of nothing but what the repository and its build have, runs
// without privileges, and starts the program with flags it knows, on the
// directories that are its volumes.
func TestDockerfile(t *testing.T) {
	all := dockerfile(t)
	if from := only(t, all, "FROM"); from != "scratch" {
		t.Errorf("the image is built on %s", from)
	}
	admitted := strings.Fields(read(t, "Dockerfile.dockerignore"))
	copies := 0
	for _, i := range all {
		switch i.name {
		case "COPY":
			copies++
			checkCopy(t, i.rest, admitted)
		case "FROM", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD":
		default:
			t.Errorf("what is %s for?", i.name)
		}
	}
	if copies == 0 {
		t.Error("nothing is copied")
	}
	user := only(t, all, "USER")
	if !regexp.MustCompile(`^[1-9]\d{3,}:[1-9]\d{3,}$`).MatchString(user) || !strings.Contains(read(t, "Dockerfile"), "--chown="+user+" ") {
		t.Errorf("it runs as %s, who may be the superuser or not own the directories", user)
	}
	if entry := words(t, only(t, all, "ENTRYPOINT")); !slices.Equal(entry, []string{"/twinkey"}) {
		t.Errorf("it starts %v", entry)
	}
	command := words(t, only(t, all, "CMD"))
	volumes := words(t, only(t, all, "VOLUME"))
	flags := serveFlags(t)
	var ports []string
	for i, word := range command[1:] {
		if name, ok := strings.CutPrefix(word, "--"); ok && !flags[name] {
			t.Errorf("serve has no flag %s", word)
		}
		if port, ok := strings.CutPrefix(word, ":"); ok {
			ports = append(ports, port)
		}
		if strings.HasSuffix(command[i], "-dir") && !slices.Contains(volumes, word) {
			t.Errorf("%s is no volume", word)
		}
	}
	if !slices.Equal(ports, strings.Fields(only(t, all, "EXPOSE"))) || len(ports) != 3 {
		t.Errorf("it listens on %v", ports)
	}
	for _, v := range volumes {
		if info, err := os.Stat(filepath.Join("rootfs", v)); err != nil || !info.IsDir() {
			t.Errorf("the image has no directory %s: %v", v, err)
		}
	}
}

// checkCopy looks for what is copied in the repository, or among what the build
// makes, and in what reaches the builder.
func checkCopy(t *testing.T, rest string, admitted []string) {
	t.Helper()
	var paths []string
	for _, word := range strings.Fields(rest) {
		if !strings.HasPrefix(word, "--") {
			paths = append(paths, strings.TrimSuffix(word, "/"))
		}
	}
	for _, from := range paths[:len(paths)-1] {
		if !slices.Contains(admitted, "!"+from) {
			t.Errorf("%s does not reach the builder", from)
		}
		if _, err := os.Stat(filepath.Join(top, from)); err != nil && !strings.Contains(read(t, filepath.Join(top, "Makefile")), "-o "+from+" ") {
			t.Errorf("%s is neither in the repository nor made by its build", from)
		}
	}
}

// serveFlags reads the flags of serve off its source.
func serveFlags(t *testing.T) map[string]bool {
	t.Helper()
	flags := map[string]bool{}
	for _, m := range regexp.MustCompile(`f\.\w+\(&o\.\w+(?:\.\w+)?, "([a-z-]+)"`).FindAllStringSubmatch(read(t, filepath.Join(top, "cmd/twinkey/serve.go")), -1) {
		flags[m[1]] = true
	}
	if len(flags) < 10 {
		t.Fatalf("found only %d flags; this test looks in the wrong place", len(flags))
	}
	return flags
}

// unit reads the settings of the systemd unit; one that is given twice has both
// values.
func unit(t *testing.T) map[string][]string {
	t.Helper()
	settings := map[string][]string{}
	for line := range strings.Lines(read(t, "twinkey.service")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "[") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			t.Fatalf("%q is no setting", line)
		}
		settings[name] = append(settings[name], value)
	}
	return settings
}

// The service cannot become more than it is, writes where its directories are
// and nowhere else, leaves no core, and starts with flags that exist.
func TestUnit(t *testing.T) {
	u := unit(t)
	for name, want := range map[string]string{
		"User": "twinkey", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "CapabilityBoundingSet": "", "LimitCORE": "0",
		"LimitNOFILE": "1048576", "StateDirectory": "twinkey", "StateDirectoryMode": "0700", "ConfigurationDirectory": "twinkey", "ConfigurationDirectoryMode": "0700",
		"ReadWritePaths": "/etc/twinkey", "UMask": "0077", "RestrictAddressFamilies": "AF_INET AF_INET6", "MemoryDenyWriteExecute": "yes", "PrivateTmp": "yes",
	} {
		if got := u[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	start := strings.Fields(strings.Join(u["ExecStart"], " "))
	flags := serveFlags(t)
	values := map[string]string{}
	for i, word := range start {
		if name, ok := strings.CutPrefix(word, "--"); ok {
			if values[name] = start[i+1]; !flags[name] {
				t.Errorf("serve has no flag %s", word)
			}
		}
	}
	if values["data-dir"] != "/var/lib/"+u["StateDirectory"][0] || values["config-dir"] != "/etc/"+u["ConfigurationDirectory"][0] {
		t.Errorf("it starts on other directories than it may write: %v", values)
	}
	if !strings.HasPrefix(read(t, "twinkey.sysusers"), "u "+u["User"][0]+" ") {
		t.Error("the user it runs as is not made")
	}
}

// systemd itself has nothing to say against the unit, where there is one to ask.
func TestUnitAsSystemdReadsIt(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("NOT TESTED: what systemd thinks of the unit; there is no systemd-analyze")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "twinkey.service")
	text := strings.Replace(read(t, "twinkey.service"), "/usr/local/bin/twinkey", program, 1) // one that exists
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput(); err != nil || strings.Contains(string(said), "twinkey.service:") {
		t.Errorf("%v\n%s", err, said)
	}
}
