// Command bench measures the product and prints one table: each figure beside
// what it is compared with, taken in the same run on the same machine.
//
// It refuses to judge: no figure makes it fail, since a busy machine would.
//
//	go run ./bench                     everything, about ten minutes
//	go run ./bench -only proxy,cli     some of it
//	go run ./bench -write              into bench/RESULTS.md as well
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// run is one run of the measurements.
type run struct {
	ctx      context.Context
	dir      string // scratch, removed afterwards
	self     string // this program, for its helpers
	twinkey  string // the product's binary
	az       string // the Azure CLI: a name on the path, or a path
	duration time.Duration
	flooding time.Duration
	accounts []int
	rows     []row
}

// row is a line of the table.
type row struct{ what, figure, beside, ratio string }

func main() {
	if len(os.Args) > 1 {
		if helper, ok := helpers()[os.Args[1]]; ok {
			helper(os.Args[2:])
			return
		}
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// helpers are what the program runs of itself in processes of their own.
func helpers() map[string]func([]string) {
	return map[string]func([]string){"load": load, "upstream": upstream, "idle": idle, "fill": fill}
}

func measure() error {
	only := flag.String("only", "store,verify,proxy,flood,cli,scale", "what to measure, separated by commas")
	sizes := flag.String("accounts", "100000,1000000", "account counts for scale")
	duration := flag.Duration("duration", 8*time.Second, "how long each load lasts")
	flooding := flag.Duration("flood", time.Minute, "how long strangers call with wrong keys")
	az := flag.String("az", "az", "the Azure CLI to compare the command line with")
	write := flag.Bool("write", false, "write the table to bench/RESULTS.md")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "twinkey-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &run{ctx: ctx, dir: dir, duration: *duration, flooding: *flooding, az: *az, twinkey: filepath.Join(dir, "twinkey")}
	for _, s := range strings.Split(*sizes, ",") {
		var n int
		if _, err := fmt.Sscan(s, &n); err != nil {
			return fmt.Errorf("-accounts: %w", err)
		}
		r.accounts = append(r.accounts, n)
	}
	if r.self, err = os.Executable(); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", r.twinkey, "./cmd/twinkey")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building twinkey (run from the module's root): %w", err)
	}
	for _, m := range []struct {
		name string
		run  func() error
	}{{"store", r.store}, {"verify", r.verify}, {"proxy", r.proxies}, {"flood", r.flood}, {"cli", r.cli}, {"scale", r.scale}} {
		if !strings.Contains(","+*only+",", ","+m.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s\n", m.name)
		if err := m.run(); err != nil {
			return fmt.Errorf("measuring %s: %w", m.name, err)
		}
	}
	table := r.table()
	fmt.Print(table)
	if *write {
		return writeResults(table)
	}
	return nil
}

func (r *run) add(what, figure, beside, ratio string) {
	r.rows = append(r.rows, row{what, figure, beside, ratio})
	fmt.Fprintf(os.Stderr, "  %s: %s | %s | %s\n", what, figure, beside, ratio)
}

// table is the rows in Markdown, under what they were taken on.
func (r *run) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Taken %s, %s, %d processors (%s).\n\n| what | figure | beside it | ratio |\n|---|---|---|---|\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), processor())
	for _, l := range r.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", l.what, l.figure, l.beside, l.ratio)
	}
	return b.String()
}

// processor is the processor's name as the kernel has it.
func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// marks enclose the table in RESULTS.md; what is around it is kept.
const (
	markBegin = "<!-- table begins -->\n"
	markEnd   = "<!-- table ends -->\n"
)

func writeResults(table string) error {
	const path = "bench/RESULTS.md"
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(data), markBegin)
	_, after, ok2 := strings.Cut(rest, markEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the table", path)
	}
	return os.WriteFile(path, []byte(before+markBegin+table+markEnd+after), 0o644)
}
