package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
)

// pollServices is how often it is looked at whether the services file changed.
const pollServices = time.Second

// Reloader keeps the catalog in force equal to its file. A file that cannot be
// used changes nothing.
type Reloader struct {
	holder *catalog.Holder
	path   string
	log    *slog.Logger

	reloads reloads

	mu   sync.Mutex
	read stamps // the files as they were before they were last read
	last stamps // as they were at the last Poll
}

// OpenServices reads the file at path. It fails with kind Invalid if there is
// none, and with catalog.Problems.
func OpenServices(path string, log *slog.Logger) (*Reloader, error) {
	r := &Reloader{path: path, log: log, read: stamps{path: stat(path)}}
	c, err := catalog.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, twinkey.Wrap(err, twinkey.Invalid, "There is no file %s, which says what services are behind the gateway. Write one, or name another with --services.", path)
	}
	if err != nil {
		return nil, err
	}
	r.holder = catalog.NewHolder(c)
	r.reloads.last.Store(time.Now().UnixMilli())
	r.watch()
	return r, nil
}

// Holder holds the catalog in force.
func (r *Reloader) Holder() *catalog.Holder { return r.holder }

// Poll reads the file again if it, or a file it takes secrets from, has changed
// since it was last read, and not since the last Poll: what is still being
// written is left until it is whole.
func (r *Reloader) Poll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := stamps{}
	for path := range r.read {
		now[path] = stat(path)
	}
	settled := now.equal(r.last)
	r.last = now
	if settled && !now.equal(r.read) && r.again() {
		r.reload()
	}
}

// Reload reads the file again, changed or not.
func (r *Reloader) Reload() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.again() {
		r.log.Warn("what services there are was not read from a regular file, so it cannot be read again", "file", r.path)
		return
	}
	r.reload()
}

// Run calls Poll every second, and Reload whenever asked is received from, until
// ctx ends.
func (r *Reloader) Run(ctx context.Context, asked <-chan os.Signal) {
	tick := time.NewTicker(pollServices)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.Poll()
		case <-asked:
			r.Reload()
		}
	}
}

// again reports whether reading twice gives the file twice; a pipe is empty
// after the first time, and would be waited for.
func (r *Reloader) again() bool {
	info := stat(r.path)
	return info == nil || info.Mode().IsRegular()
}

func (r *Reloader) reload() {
	for path := range r.read {
		r.read[path] = stat(path)
	}
	before := r.holder.Load()
	err := r.holder.Replace(r.path)
	r.reloads.note(err)
	if err != nil {
		r.refused(err)
		return
	}
	r.watch()
	d := r.holder.Load().Since(before)
	r.log.Info("services read again", "file", r.path, "added", d.Added, "removed", d.Removed, "changed", d.Changed)
}

// refused says everything that is wrong. The file is not read again before it
// changes, so it is said once.
func (r *Reloader) refused(err error) {
	problems, ok := errors.AsType[catalog.Problems](err)
	if !ok {
		r.log.Error("services not read again; those in force stay", "file", r.path, "error", err)
		return
	}
	for _, p := range problems {
		r.log.Error("services not read again; those in force stay", "problem", p.String())
	}
}

// watch adds the files that the catalog in force took secrets from, and forgets
// others.
func (r *Reloader) watch() {
	next := stamps{r.path: r.read[r.path]}
	for _, path := range r.holder.Load().Files() {
		info, known := r.read[path]
		if !known {
			info = stat(path)
		}
		next[path] = info
	}
	r.read = next
}

// stamps tells files that have changed from those that have not; nil stands for
// one that is not there.
type stamps map[string]fs.FileInfo

func (s stamps) equal(other stamps) bool {
	if len(s) != len(other) {
		return false
	}
	for path, a := range s {
		b, known := other[path]
		switch {
		case !known || (a == nil) != (b == nil):
			return false
		case a == nil:
		case a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime()) || !os.SameFile(a, b):
			return false
		}
	}
	return true
}

func stat(path string) fs.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// openCatalog finds out what services there are.
func (a *App) openCatalog(context.Context) error {
	if len(a.config.Upstreams) == 0 {
		services, err := OpenServices(a.config.Services, a.log)
		if err != nil {
			return err
		}
		a.services, a.catalog = services, services.Holder()
		return nil
	}
	if stat(a.config.Services) != nil {
		return twinkey.Errorf(twinkey.Invalid, "The file %s says what services are behind the gateway, so --upstream cannot say it too. Leave --upstream out, or move the file away.", a.config.Services)
	}
	c, err := upstreamCatalog(a.config.Upstreams)
	if err != nil {
		return err
	}
	a.catalog = catalog.NewHolder(c)
	return nil
}

// CheckServices reads a services file as a server would. It returns one line
// that says what is in it, or everything that is wrong with it.
func CheckServices(path string) (summary string, problems []string, err error) {
	c, err := catalog.ReadFile(path)
	if found, ok := errors.AsType[catalog.Problems](err); ok {
		for _, p := range found {
			problems = append(problems, p.String())
		}
		return "", problems, nil
	}
	if err != nil {
		return "", nil, err
	}
	kinds := c.Kinds()
	routes := 0
	for _, k := range kinds {
		before := ""
		for _, r := range k.Routes() {
			if r.Prefix != before { // else the same route's upstreams in another location
				routes++
			}
			before = r.Prefix
		}
	}
	return fmt.Sprintf("%s: %s, %s", path, count(len(kinds), "kind"), count(routes, "route")), nil, nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
