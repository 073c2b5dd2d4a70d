package accounts_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/catalog"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/sealing"
)

var crashRounds = flag.Int("crash-rounds", 3, "how often the writing process is killed")

const (
	crashWriters = 8
	crashSub     = "11111111-2222-3333-4444-555555555555"
	crashDir     = "TWINKEY_TEST_CRASH_DIR"
	crashKey     = "TWINKEY_TEST_CRASH_KEY"
)

// ack is one regenerate that was answered.
type ack struct {
	writer     int
	slot       twinkey.KeyName
	generation twinkey.Generation
	digest     twinkey.Digest
}

// I8: whenever the process is killed, every regenerate that was answered is
// stored, with the key that was shown, and has its one activity entry; and what
// is stored can be opened.
func TestAcknowledgedRegeneratesSurviveKill(t *testing.T) {
	dir, outer, outerPath := t.TempDir(), (*sealing.OuterKey)(nil), t.TempDir()+"/outer.key"
	outer, err := sealing.CreateOuterKey(outerPath)
	if err != nil {
		t.Fatal(err)
	}
	acked := map[string]ack{} // the newest of each slot
	total := 0
	for range *crashRounds {
		total += killWriters(t, dir, outerPath, 50+rand.IntN(400), acked)
		checkSurvivors(t, dir, outer, acked)
	}
	if total < *crashRounds*50 {
		t.Fatalf("only %d regenerates were acknowledged: the test did not do its work", total)
	}
	t.Logf("%d acknowledged regenerates over %d kills, none lost", total, *crashRounds)
}

// killWriters runs a process that regenerates until it has acknowledged enough,
// and kills it.
func killWriters(t *testing.T, dir, outerPath string, enough int, acked map[string]ack) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashWriters$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashKey+"="+outerPath)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed, n := false, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var a ack
		var digest string
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d %d %s", &a.writer, &a.slot, &a.generation, &digest); err != nil {
			continue // a line cut by the kill was not acknowledged
		}
		if a.digest.UnmarshalText([]byte(digest)) != nil {
			continue
		}
		acked[fmt.Sprint(a.writer, a.slot)] = a
		if n++; n >= enough && !killed {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !killed {
		t.Fatalf("the writing process ended by itself: %v", err)
	}
	return n
}

func checkSurvivors(t *testing.T, dir string, outer *sealing.OuterKey, acked map[string]ack) {
	t.Helper()
	node, err := etcdnode.Start(t.Context(), etcdnode.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Stop(context.Background())
	store, err := etcdstore.Open(t.Context(), node.Client())
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := store.DataKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := outer.Open(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	recorded := regeneratesRecorded(t, store)
	for _, a := range acked {
		id := crashAccount(a.writer)
		doc, err := store.Account(t.Context(), id)
		if err != nil || doc == nil {
			t.Fatalf("%s: %v", id, err)
		}
		slot := doc.Slots[a.slot.Index()]
		if slot.Generation < a.generation || slot.Generation == a.generation && slot.Digest != a.digest {
			t.Errorf("%s %s: acknowledged generation %d, stored is %d", id.Account, a.slot, a.generation, slot.Generation)
		}
		place := sealing.Place{UID: doc.UID, Slot: a.slot, Generation: slot.Generation}
		if _, err := ring.Open(place, slot.Sealed, slot.Digest); err != nil {
			t.Error(err)
		}
		if got := recorded[id.Account+" "+a.slot.String()]; got != int(slot.Generation)-1 {
			t.Errorf("%s %s: %d regenerates are recorded, and its generation is %d", id.Account, a.slot, got, slot.Generation)
		}
	}
}

func regeneratesRecorded(t *testing.T, store *etcdstore.Store) map[string]int {
	t.Helper()
	recorded := map[string]int{}
	for page := (accounts.Page{}); ; {
		entries, next, err := store.Activity(t.Context(), crashSub, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Action == accounts.ActionRegenerate {
				id, err := twinkey.ParseResourceID(e.Scope)
				if err != nil {
					t.Fatal(err)
				}
				recorded[id.Account+" "+e.Details["slot"]]++
			}
		}
		if next == "" {
			return recorded
		}
		page.After = next
	}
}

// TestCrashWriters is the process that TestAcknowledgedRegeneratesSurviveKill
// kills; by itself it does nothing.
func TestCrashWriters(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return
	}
	service := crashService(t, dir, os.Getenv(crashKey))
	var out sync.Mutex
	var writers sync.WaitGroup
	for writer := range crashWriters {
		writers.Go(func() {
			for i := 0; ; i++ {
				name := twinkey.KeyNames()[i%2]
				keys, done, err := service.Regenerate(t.Context(), crashOwner(), crashAccount(writer), name, accounts.Precondition{})
				if err != nil {
					t.Error(err)
					return
				}
				key := [2]twinkey.Secret{keys.Key1, keys.Key2}[name.Index()]
				digest, _ := twinkey.DigestOf(key.Reveal()).MarshalText()
				out.Lock()
				fmt.Fprintf(os.Stdout, "ack %d %d %d %s\n", writer, name, done.Generation, digest)
				out.Unlock()
			}
		})
	}
	writers.Wait()
}

func crashService(t *testing.T, dir, outerPath string) *accounts.Service {
	t.Helper()
	store, err := etcdstore.Open(t.Context(), startNode(t, dir).Client())
	if err != nil {
		t.Fatal(err)
	}
	outer, err := sealing.ReadOuterKey(outerPath)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := store.DataKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(wrapped) == 0 {
		if wrapped[1], err = outer.NewDataKey(1); err != nil {
			t.Fatal(err)
		}
		if err := store.AddDataKey(t.Context(), 1, wrapped[1]); err != nil {
			t.Fatal(err)
		}
	}
	ring, err := outer.Open(wrapped)
	if err != nil {
		t.Fatal(err)
	}
	services, err := catalog.Parse("services.yaml", []byte("services: [{kind: K, skus: [{name: S}], routes: [{path: /, upstream: 'http://127.0.0.1:9'}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	service := accounts.New(accounts.Config{Store: store, Ring: ring, Confirmer: nobody{},
		Catalog: func() *catalog.Catalog { return services }, Now: time.Now})
	owner := access.Assignment{ID: uuid.NewString(), RoleID: ownerRole, PrincipalID: crashOwner().ObjectID}
	if err := service.Bootstrap(t.Context(), accounts.Subscription{ID: crashSub, State: accounts.SubscriptionEnabled}, owner); err != nil {
		t.Fatal(err)
	}
	if _, _, err := service.PutGroup(t.Context(), crashOwner(), crashAccount(0).Parent(), accounts.GroupSpec{Location: "local"}, accounts.Precondition{}); err != nil {
		t.Fatal(err)
	}
	for writer := range crashWriters {
		spec := accounts.AccountSpec{Kind: "K", SKU: "S", Location: "local"}
		if _, _, _, err := service.PutAccount(t.Context(), crashOwner(), crashAccount(writer), spec, accounts.Precondition{}); err != nil {
			t.Fatal(err)
		}
	}
	return service
}

func crashAccount(writer int) twinkey.ResourceID {
	return twinkey.ResourceID{Subscription: crashSub, Group: "g", Account: fmt.Sprintf("acct%d", writer)}
}

func crashOwner() twinkey.Caller {
	return twinkey.Caller{Principal: twinkey.Principal{ObjectID: "99999999-2222-3333-4444-555555555555", Type: twinkey.User}, RequestID: uuid.NewString()}
}

// nobody confirms at once: there is no gateway.
type nobody struct{}

func (nobody) Confirm(_ context.Context, r twinkey.Revision) twinkey.Confirmation {
	return twinkey.Confirmation{Revision: r}
}
