package etcdnode_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/etcdnode"
)

const smallQuota = 8 << 20

// fill writes under some keys, over and over, until the store takes no more.
func fill(t *testing.T, node *etcdnode.Node, keys int) {
	t.Helper()
	for i := 0; ; i++ {
		_, err := node.Client().Put(t.Context(), fmt.Sprint("k", i%keys), strings.Repeat("x", 64<<10))
		if errors.Is(err, rpctypes.ErrNoSpace) || errors.Is(rpctypes.Error(err), rpctypes.ErrNoSpace) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if i > 10_000 {
			t.Fatal("the store does not get full")
		}
	}
}

func startSmall(t *testing.T) *etcdnode.Node {
	t.Helper()
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Quota: smallQuota})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Stop(context.Background()) })
	return node
}

// A store that is full of old revisions takes changes again once they have been
// dropped, and has lost nothing.
func TestReclaimMakesRoom(t *testing.T) {
	node := startSmall(t)
	put(t, node, "kept", "1")
	if space := node.Space(); space.Full || space.Quota != smallQuota {
		t.Fatalf("an empty store has %+v", space)
	}
	fill(t, node, 3)
	full := node.Space()
	if !full.Full || full.Size < smallQuota/2 {
		t.Fatalf("a full store has %+v", full)
	}
	if err := node.Reclaim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if space := node.Space(); space.Full || space.Size >= full.Size {
		t.Errorf("afterwards it has %+v", space)
	}
	put(t, node, "kept", "2")
	if err := node.Reclaim(t.Context()); err != nil {
		t.Errorf("making room where there is room: %v", err)
	}
}

// A store that is full of what is needed stays closed, and says what to do; it
// opens once something has been deleted.
func TestReclaimOfWhatIsInUse(t *testing.T) {
	node := startSmall(t)
	fill(t, node, 10_000)
	err := node.Reclaim(t.Context())
	if !node.Space().Full || twinkey.KindOf(err) != twinkey.Unavailable || !strings.Contains(err.Error(), "may hold 8 MiB") {
		t.Fatalf("%+v, %v", node.Space(), err)
	}
	if _, err := node.Client().Delete(t.Context(), "k", clientv3.WithPrefix()); err != nil {
		t.Fatalf("a full store does not let go of anything: %v", err)
	}
	if err := node.Reclaim(t.Context()); err != nil || node.Space().Full {
		t.Errorf("%+v, %v", node.Space(), err)
	}
	put(t, node, "new", "1")
}
