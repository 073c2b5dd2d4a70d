package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// azure is a real Azure CLI that is logged in to a server.
type azure struct {
	program, version string
	env              []string
}

// azure logs one in; nil if there is none on this machine. Its configuration is
// its own and goes with the run's directory.
func (s *server) azure() (*azure, error) {
	program, err := exec.LookPath(s.run.az)
	if err != nil {
		return nil, nil
	}
	dir, config := s.data+"-azure", s.data+"-config"
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	az := &azure{program: program, env: append(os.Environ(), "AZURE_CONFIG_DIR="+dir, "REQUESTS_CA_BUNDLE="+filepath.Join(config, "ca.pem"),
		"AZURE_CORE_COLLECT_TELEMETRY=no", "AZURE_CORE_SURVEY_MESSAGE=no", "AZURE_CORE_LOGIN_EXPERIENCE_V2=off", "NO_PROXY=*", "no_proxy=*")}
	clouds, err := s.ask(az, "cloud", "list", "--query", "[].name", "--output", "tsv")
	if err != nil || !strings.Contains(clouds, "AzureCloud") {
		return nil, nil // another program, perhaps our own under its name
	}
	password, err := os.ReadFile(filepath.Join(config, "admin-password"))
	if err != nil {
		return nil, err
	}
	endpoint := "https://" + s.management
	for _, args := range [][]string{
		{"cloud", "register", "--name", "Twinkey", "--endpoint-resource-manager", endpoint, "--endpoint-active-directory", endpoint + "/adfs"},
		{"cloud", "set", "--name", "Twinkey"},
		{"login", "--username", "admin@twinkey.internal", "--password", strings.TrimSpace(string(password))},
		keysList, // the token, and what it compiles
	} {
		if _, err := s.ask(az, args...); err != nil {
			return nil, err
		}
	}
	az.version, err = s.ask(az, "version", "--query", `"azure-cli"`, "--output", "tsv")
	return az, err
}

func (s *server) ask(az *azure, args ...string) (string, error) {
	cmd := exec.CommandContext(s.run.ctx, az.program, args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = az.env, &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("az %s", args[0]), err, errors.New(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// beside times a command of ours and one of az's in turns, so that both meet the
// same machine, and returns the median of each; az's is zero if there is none.
func (s *server) beside(n int, az *azure, args ...string) (ours, theirs time.Duration, err error) {
	var own, other []time.Duration
	for range n {
		took, err := s.once(s.env, s.run.twinkey, args...)
		if err != nil {
			return 0, 0, err
		}
		own = append(own, took)
		if az == nil {
			continue
		}
		if took, err = s.once(az.env, az.program, args...); err != nil {
			return 0, 0, err
		}
		other = append(other, took)
	}
	return percentile(own, 0.5), percentile(other, 0.5), nil
}

// once is how long a command takes from its start to its end.
func (s *server) once(env []string, program string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(s.run.ctx, program, args...)
	cmd.Env = env
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s %v: %w", program, args, err)
	}
	return time.Since(begin), nil
}
