package idp

import (
	"strconv"
	"testing"
	"time"
)

// The memory for used assertions is bounded, in all and for one application;
// when it is full no assertion is admitted, rather than one forgotten, until
// some have expired. It would take a hundred thousand signatures from outside.
func TestReplaysAreBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	m := newReplays(func() time.Time { return now })
	use := func(app string, n int) verdict { return m.use(app, strconv.Itoa(n), "audience", now.Add(time.Hour)) }
	for n := range maxReplaysOfApp {
		if use("app", n) != fresh {
			t.Fatal("refused", n)
		}
	}
	if use("app", maxReplaysOfApp) != full || use("app", 0) != replayed {
		t.Fatal("an application has no bound of its own")
	}
	for n := maxReplaysOfApp; n < maxReplays; n++ {
		if use("app"+strconv.Itoa(n), n) != fresh {
			t.Fatal("one application holds up others at", n)
		}
	}
	if use("another", 0) != full || len(m.used) != maxReplays {
		t.Fatal("no bound on all")
	}
	now = now.Add(time.Hour)
	if use("app", -1) != fresh || len(m.used) != 1 || len(m.ofApp) != 1 {
		t.Fatal("what expired was not forgotten", len(m.used), len(m.ofApp))
	}
}
