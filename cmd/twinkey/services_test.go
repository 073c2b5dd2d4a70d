package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// sighup sends SIGHUP to the newest program in the background.
func sighup(ts *testscript.TestScript, neg bool, args []string) {
	all := ts.BackgroundCmds()
	ts.Check(all[len(all)-1].Process.Signal(syscall.SIGHUP))
}

// answers STATUS PATH [KEY] waits until the gateway answers a call so; what a
// server was told to do takes effect while it goes on.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	until(ts, "the gateway answers "+args[1]+" with "+args[0], func() error {
		status, answer, err := post(ts, args[1], append(args, "")[2], "{}")
		if err == nil && fmt.Sprint(status) != args[0] {
			err = fmt.Errorf("it answers %d %s", status, answer)
		}
		return err
	})
}

// says FILE TEXT waits until the file has the text.
func says(ts *testscript.TestScript, neg bool, args []string) {
	until(ts, args[0]+" says "+args[1], func() error {
		if !strings.Contains(ts.ReadFile(args[0]), args[1]) {
			return errors.New("it does not")
		}
		return nil
	})
}
