package main

import (
	"fmt"
	"os/exec"
	"time"
)

// cli measures whole processes of the command line, az beside it if there is one.
func (r *run) cli() error {
	s := r.server("cli", "127.0.0.1:9")
	if err := s.prepare(); err != nil {
		return err
	}
	begin := time.Now()
	p, err := s.start("")
	if err != nil {
		return err
	}
	defer p.stop()
	r.add("serve: start to ready, existing data", millis(time.Since(begin)), "budget 500 ms", "-")
	r.add("serve: idle memory", fmt.Sprintf("%d MiB resident", p.memory("VmRSS")), "budget 80 MiB", "-")
	version, err := s.time(30, r.twinkey, "version")
	if err != nil {
		return err
	}
	keys, err := s.time(30, r.twinkey, "cognitiveservices", "account", "keys", "list", "-n", "bench", "-g", "bench")
	if err != nil {
		return err
	}
	az, beside := time.Duration(0), "az not installed; 600 ms to 810 ms measured elsewhere"
	if _, err := exec.LookPath("az"); err == nil {
		if az, err = s.time(5, "az", "version"); err != nil {
			return err
		}
		beside = "az version alone " + millis(az)
	}
	r.add("twinkey version, whole process", millis(version), "budget 15 ms", "-")
	r.add("twinkey ... keys list, whole process", millis(keys), beside, ratio(keys, az))
	return nil
}

// time is the median duration of a command.
func (s *server) time(n int, name string, args ...string) (time.Duration, error) {
	var all []time.Duration
	for range n {
		cmd := exec.CommandContext(s.run.ctx, name, args...)
		cmd.Env = s.env
		begin := time.Now()
		if err := cmd.Run(); err != nil {
			return 0, fmt.Errorf("%s %v: %w", name, args, err)
		}
		all = append(all, time.Since(begin))
	}
	return percentile(all, 0.5), nil
}
