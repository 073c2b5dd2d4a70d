package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tutorial is the document whose command lines the program promises to run, in
// the directory beside the checkout where the project keeps its sources.
const tutorial = "../../../shared/seeds/000_*.txt"

// If this fails, the script that is said to run the tutorial's command lines
// runs others.
func TestScriptRunsTheTutorialsLines(t *testing.T) {
	found, err := filepath.Glob(tutorial)
	if err != nil || len(found) != 1 {
		t.Skipf("the tutorial is not at %s (%d files), so nothing is compared", tutorial, len(found))
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("testdata", "script", "seed.txtar"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatal("there is no script")
	}
	ran := strings.Split(string(script), "\n")
	lines := regexp.MustCompile(`(?m)^ *(az .*)$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) < 5 {
		t.Fatalf("the tutorial has %d command lines; the test does not read it right", len(lines))
	}
	for _, line := range lines {
		// The tutorial says to replace this, and spells it so.
		want := strings.ReplaceAll(line[1], "<subscripionName>", "Twinkey")
		if !slices.Contains(ran, want) {
			t.Errorf("the script does not run %q", want)
		}
	}
}
