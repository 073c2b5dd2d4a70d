// Package etcdnode runs an etcd member inside this process: one member, no
// listener of any kind, reached through an in-process client.
//
// It refuses to start where another process is running, where there is no room
// or no permission, and it refuses to let etcd end the process: what etcd calls
// fatal marks the node dead, and the rest of the program goes on.
package etcdnode

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey"
)

// minFree is how many bytes must be free before a node starts: room for the
// write-ahead log's next segments and a compaction.
const minFree = 512 << 20

// defaultQuota is what a zero Quota stands for.
const defaultQuota = 8 << 30

// A start replays what was written since etcd's last snapshot of its log, and a
// running member keeps as much of the log in memory; there is no slow follower to
// keep more for (etcd's own values, 10 000 and 5000, are for those).
const (
	snapshotEvery   = 2000
	snapshotCatchUp = 100
)

// Config is what a Node needs.
type Config struct {
	Dir   string       // data directory; made if absent, readable by its owner alone
	Log   *slog.Logger // required
	Quota int64        // size in bytes at which the database takes no more writes; zero: 8 GiB
	Claim *Claim       // of Dir, which the node shares until it has stopped; zero: it makes one
}

// Node is a running member.
type Node struct {
	etcd   *embed.Etcd
	client *clientv3.Client
	claim  *Claim
	dir    string
	quota  int64

	once sync.Once
	dead chan struct{}
	why  error

	stop    sync.Once
	stopped chan struct{}
	stopErr error
}

// Start runs a member on the directory and returns when it can be read and
// written. Its errors say in one sentence what is wrong and what to do.
func Start(ctx context.Context, c Config) (*Node, error) {
	if err := prepare(c.Dir); err != nil {
		return nil, err
	}
	if c.Quota == 0 {
		c.Quota = defaultQuota
	}
	n := &Node{dir: c.Dir, quota: c.Quota, dead: make(chan struct{}), stopped: make(chan struct{})}
	if n.claim = c.Claim; n.claim != nil {
		n.claim.shared.Add(1)
	} else {
		var err error
		if n.claim, err = NewClaim(c.Dir); err != nil {
			return nil, err
		}
	}
	if err := n.start(ctx, c); err != nil {
		if n.Err() == nil { // what is left of a dead member holds the files on
			_ = n.claim.Close()
		}
		return nil, err
	}
	return n, nil
}

// Client talks to the member in process.
func (n *Node) Client() *clientv3.Client { return n.client }

// Dead is closed when the member cannot go on; Err then says why.
func (n *Node) Dead() <-chan struct{} { return n.dead }

// Err is why the member died, nil while it lives.
func (n *Node) Err() error {
	select {
	case <-n.dead:
		return n.why
	default:
		return nil
	}
}

// Stop ends the member, or gives up waiting for it when ctx ends: a member
// whose disk is full may never stop by itself. The directory is free once the
// member has stopped, and not before. Stopping again does nothing.
func (n *Node) Stop(ctx context.Context) error {
	n.stop.Do(func() {
		var unlocked error
		go func() {
			defer close(n.stopped)
			_ = n.client.Close()
			n.etcd.Close()
			unlocked = n.claim.Close()
		}()
		select {
		case <-n.stopped:
			n.stopErr = unlocked
		case <-n.dead:
		case <-ctx.Done():
			n.stopErr = fmt.Errorf("stopping the store: %w", ctx.Err())
		}
	})
	return n.stopErr
}

func (n *Node) start(ctx context.Context, c Config) error {
	cfg := embed.NewConfig()
	nowhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:1"}} // etcd insists on a name; nothing listens there
	cfg.Name, cfg.Dir = "twinkey", filepath.Join(c.Dir, etcdDir)
	cfg.ListenPeerUrls, cfg.ListenClientUrls = nil, nil
	cfg.AdvertisePeerUrls, cfg.AdvertiseClientUrls = nowhere, nowhere
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.TickMs, cfg.ElectionMs = 10, 100 // nobody to elect against: only the start depends on it
	cfg.QuotaBackendBytes = c.Quota
	cfg.SnapshotCount, cfg.SnapshotCatchUpEntries = snapshotEvery, snapshotCatchUp
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = embed.CompactorModePeriodic, "5m"
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(n.logger(c.Log))
	finish, err := begin(c.Dir)
	if err != nil {
		return twinkey.Wrap(err, twinkey.Unavailable, "The store in %s cannot be opened: %v", c.Dir, err)
	}
	etcd, err := n.startEtcd(cfg)
	if err != nil {
		return twinkey.Wrap(err, twinkey.Unavailable, "The store in %s cannot be opened: %v", c.Dir, err)
	}
	n.etcd = etcd
	select {
	case <-etcd.Server.ReadyNotify():
	case <-n.dead:
		return twinkey.Wrap(n.why, twinkey.Unavailable, "The store in %s cannot be opened: %v", c.Dir, n.why)
	case <-ctx.Done():
		etcd.Close() // or it would keep the directory for itself
		return fmt.Errorf("starting the store: %w", ctx.Err())
	}
	if err := finish(); err != nil {
		etcd.Close()
		return twinkey.Wrap(err, twinkey.Unavailable, "The store in %s cannot be opened: %v", c.Dir, err)
	}
	n.client = v3client.New(etcd.Server)
	n.client.KV = guard{KV: n.client.KV, node: n}
	return nil
}

// startEtcd runs StartEtcd aside, since what etcd calls fatal ends only the
// goroutine it happens in.
func (n *Node) startEtcd(cfg *embed.Config) (*embed.Etcd, error) {
	type result struct {
		etcd *embed.Etcd
		err  error
	}
	started := make(chan result, 1)
	go func() {
		defer n.survive()
		e, err := embed.StartEtcd(cfg)
		started <- result{e, err}
	}()
	select {
	case r := <-started:
		return r.etcd, r.err
	case <-n.dead:
		return nil, n.why
	}
}

// survive makes a panic of etcd's in a goroutine of ours the member's death, as
// where a file is damaged. It is to be deferred. A panic in a goroutine of etcd's
// own ends the process still.
func (n *Node) survive() {
	if cause := recover(); cause != nil {
		n.die(fmt.Errorf("the store has stopped: %v", cause))
	}
}

// die marks the member dead, once.
func (n *Node) die(why error) {
	n.once.Do(func() {
		n.why = why
		close(n.dead)
	})
}

// prepare makes the directory and checks that it can be used.
func prepare(dir string) error {
	if err := makeDir(dir); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return unwritable(dir, err)
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("reading the free space of %s: %w", dir, err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < minFree {
		return twinkey.Errorf(twinkey.Unavailable, "The data directory %s has %d MiB free, and at least %d MiB are needed. Make room, or name another directory with --data-dir.", dir, free>>20, minFree>>20)
	}
	return nil
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return twinkey.Wrap(err, twinkey.Unavailable, "The data directory %s cannot be made: %v", dir, err)
	}
	return nil
}

func unwritable(dir string, err error) error {
	return twinkey.Wrap(err, twinkey.Unavailable, "The data directory %s cannot be written: %v. Give this user the right to write there, or name another with --data-dir.", dir, err)
}
