package etcdnode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sys/unix"

	"github.com/twinkey/twinkey"
)

const (
	// spare is the part of the quota that must be free before the database takes
	// writes again: one in spare.
	spare = 10
	// reclaimTime bounds how long it waits; the copying itself cannot be cut off.
	reclaimTime = 2 * time.Minute
	// besideCopy is how many bytes must be free on the disk beside the copy of
	// the database that defragmentation makes.
	besideCopy = 64 << 20
)

// Space says how much room the database takes, in bytes.
type Space struct {
	Size  int64 // of the file
	InUse int64 // of the file's pages that hold something
	Quota int64 // the size at which it takes no more writes
	Full  bool  // it takes none: etcd's alarm NOSPACE is raised
}

// Space reads how much room the database takes.
func (n *Node) Space() Space {
	backend := n.etcd.Server.Backend()
	s := Space{Size: backend.Size(), InUse: backend.SizeInUse(), Quota: n.quota}
	if n.Err() != nil {
		return s
	}
	for _, alarm := range n.etcd.Server.Alarms() {
		s.Full = s.Full || alarm.Alarm == etcdserverpb.AlarmType_NOSPACE
	}
	return s
}

// Reclaim makes room in a full database: it drops old revisions, gives the
// pages they took back to the file system, and lifts the alarm once there is
// room to write in. Reads and writes wait while the file is copied. On an error
// the database is as full as it was.
func (n *Node) Reclaim(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reclaimTime)
	defer cancel()
	now, err := n.client.Get(ctx, "\x00", clientv3.WithCountOnly())
	if err != nil {
		return fmt.Errorf("reading the newest revision: %w", err)
	}
	if _, err := n.client.Compact(ctx, now.Header.Revision, clientv3.WithCompactPhysical()); err != nil && !alreadyCompacted(err) {
		return fmt.Errorf("dropping old revisions: %w", err)
	}
	if err := n.settle(ctx); err != nil {
		return err
	}
	space := n.Space()
	if !space.roomy(space.InUse) {
		return twinkey.Errorf(twinkey.Unavailable, "The store holds %d MiB and may hold %d MiB. Delete resource groups that are not needed, or keep less of the activity log with --activity-days or --activity-entries.", space.InUse>>20, space.Quota>>20)
	}
	if !space.roomy(space.Size) {
		if err := n.defragment(ctx, space); err != nil {
			return err
		}
	}
	return n.disarm(ctx)
}

// roomy reports whether a file of a size would leave room to write in.
func (s Space) roomy(size int64) bool { return size <= s.Quota-s.Quota/spare }

// settle makes the file show what has been dropped: pages are free from the
// commit after the one that gave them up.
func (n *Node) settle(ctx context.Context) error {
	_, err := guarded(ctx, n, func() (struct{}, error) {
		for range 3 {
			n.etcd.Server.Backend().ForceCommit()
		}
		return struct{}{}, nil
	})
	return err
}

// defragment copies what is in use into a new file.
func (n *Node) defragment(ctx context.Context, space Space) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(n.dir, &fs); err != nil {
		return fmt.Errorf("reading the free space: %w", err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < space.InUse+besideCopy {
		return twinkey.Errorf(twinkey.Unavailable, "The disk of the data directory has %d MiB free, and making room in the store needs %d MiB. Make room on the disk.", free>>20, (space.InUse+besideCopy)>>20)
	}
	_, err := guarded(ctx, n, func() (struct{}, error) { return struct{}{}, n.etcd.Server.Defragment() }) // the in-process client panics at it
	if err != nil {
		return fmt.Errorf("defragmenting the store: %w", err)
	}
	return nil
}

// disarm lifts the alarm about space, and no other.
func (n *Node) disarm(ctx context.Context) error {
	raised, err := guarded(ctx, n, func() (*clientv3.AlarmResponse, error) { return n.client.AlarmList(ctx) })
	if err != nil {
		return fmt.Errorf("reading the store's alarms: %w", err)
	}
	for _, alarm := range raised.Alarms {
		if alarm.Alarm != etcdserverpb.AlarmType_NOSPACE {
			continue
		}
		_, err := guarded(ctx, n, func() (*clientv3.AlarmResponse, error) {
			return n.client.AlarmDisarm(ctx, (*clientv3.AlarmMember)(alarm))
		})
		if err != nil {
			return fmt.Errorf("lifting the store's alarm: %w", err)
		}
	}
	return nil
}

// alreadyCompacted reports that there was nothing left to drop.
func alreadyCompacted(err error) bool {
	return errors.Is(err, rpctypes.ErrCompacted) || errors.Is(rpctypes.Error(err), rpctypes.ErrCompacted)
}
