package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// server is a twinkey that can be started and asked.
type server struct {
	run                                   *run
	data, services                        string
	management, gateway, gatewayHTTP, ops string
	key                                   string
	env                                   []string
}

func (r *run) server(name, up string) *server {
	return &server{run: r, data: filepath.Join(r.dir, name), services: up,
		management: freeAddress(), gateway: freeAddress(), gatewayHTTP: freeAddress(), ops: freeAddress()}
}

func (s *server) start(cpus string) (*process, error) {
	path, err := s.run.file(filepath.Base(s.data)+".yaml", fmt.Sprintf("services: [{kind: TextAnalytics, skus: [{name: S}], routes: [{path: /text/, upstream: 'http://%s'}]}]\n", s.services))
	if err != nil {
		return nil, err
	}
	p, err := s.run.start(cpus, s.run.twinkey, "serve", "--data-dir", s.data, "--services", path, "--listen", s.management,
		"--gateway-listen", s.gateway, "--gateway-http", s.gatewayHTTP, "--ops-listen", s.ops, "--log-level", "warn")
	if err != nil {
		return nil, err
	}
	return p, waitReady(s.run.ctx, s.ops)
}

// prepare makes an account and learns its key.
func (s *server) prepare() error {
	p, err := s.start("")
	if err != nil {
		return err
	}
	defer p.stop()
	if err := s.login(); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"group", "create", "-n", "bench", "-l", "local"},
		{"cognitiveservices", "account", "create", "-n", "bench", "-g", "bench", "--kind", "TextAnalytics", "--sku", "S", "-l", "local", "--yes"},
	} {
		if _, err := s.cli(args...); err != nil {
			return err
		}
	}
	s.key, err = s.cli("cognitiveservices", "account", "keys", "list", "-n", "bench", "-g", "bench", "--query", "key1", "-o", "tsv")
	return err
}

func (s *server) login() error {
	exports, err := exec.CommandContext(s.run.ctx, s.run.twinkey, "client-env", "sh", "--data-dir", s.data).Output()
	if err != nil {
		return fmt.Errorf("client-env: %w", err)
	}
	s.env = append(os.Environ(), "TWINKEY_CONFIG_DIR="+s.data+"-client")
	for line := range strings.Lines(string(exports)) {
		if name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); ok {
			s.env = append(s.env, name+"="+strings.Trim(value, "'"))
		}
	}
	_, err = s.cli("login", "--local")
	return err
}

func (s *server) cli(args ...string) (string, error) {
	cmd := exec.CommandContext(s.run.ctx, s.run.twinkey, args...)
	cmd.Env = s.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("twinkey %s", strings.Join(args, " ")), err, errors.New(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
