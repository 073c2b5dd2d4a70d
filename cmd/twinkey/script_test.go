package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the program available to the scripts under its own name and
// under that of the Azure CLI, whose command lines it understands.
func TestMain(m *testing.M) {
	program := func() { os.Exit(run()) }
	testscript.Main(m, map[string]func(){"twinkey": program, "az": program})
}

// If this fails, the program as a whole does not do what a person at a terminal
// was told: each script says which part.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("TWINKEY_CONFIG_DIR", filepath.Join(e.WorkDir, "cli"))
			e.Values[worldKey{}] = &world{dir: e.WorkDir}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"upstream":      upstream,
			"waitready":     waitReady,
			"waitgone":      waitGone,
			"clientenv":     clientEnv,
			"exits":         exits,
			"capture":       capture,
			"call":          call,
			"hold":          hold,
			"release":       release,
			"sigterm":       sigterm,
			"setformat":     setFormat,
			"sighup":        sighup,
			"says":          says,
			"answers":       answers,
			"languagemodel": languageModel,
		},
		RequireUniqueNames: true,
		Deadline:           time.Now().Add(5 * time.Minute), // a server that should have refused to start runs for ever
	})
}
