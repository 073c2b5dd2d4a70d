package main

import (
	"fmt"
	"time"
)

// keysList is the command that is compared.
var keysList = []string{"cognitiveservices", "account", "keys", "list", "--name", "bench", "--resource-group", "bench"}

// cli measures whole processes of the command line, the Azure CLI's beside them
// if there is one: the same command, with a warm token, on the same server.
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
	az, err := s.azure()
	if err != nil {
		return err
	}
	version, _, err := s.beside(40, nil, "version")
	if err != nil {
		return err
	}
	ours, theirs, err := s.beside(20, az, keysList...)
	if err != nil {
		return err
	}
	beside, share := "not measured: no az on this machine", "-"
	if az != nil {
		beside = "az " + az.version + ", the same command " + millis(theirs)
		share = fmt.Sprintf("%.3f", float64(ours)/float64(theirs))
	}
	r.add("twinkey version, whole process", millis(version), "budget 15 ms", "-")
	r.add("twinkey ... keys list, whole process, warm token", millis(ours), beside, share)
	return nil
}
