package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"runtime"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/gateway"
)

// verify measures digesting and finding a key among two million, each key seen
// once, so that caches do not help; and what changing one account costs then.
func (r *run) verify() error {
	const accountCount, looked = 1_000_000, 200_000
	table := gateway.NewTable()
	before := heap()
	var keys []string
	for made := 0; made < accountCount; {
		var batch []twinkey.AccountState
		for range 50_000 {
			state := twinkey.AccountState{ID: benchID(fmt.Sprintf("a%07d", made)), UID: twinkey.UID(fmt.Sprintf("%032d", made)), Kind: "K", SKU: "S", Location: "local"}
			for i := range state.Digests {
				var raw [16]byte
				_, _ = rand.Read(raw[:])
				key := hex.EncodeToString(raw[:])
				state.Digests[i], state.Generations[i] = twinkey.DigestOf(key), 1
				if made%5 == 0 && i == 0 {
					keys = append(keys, key)
				}
			}
			batch = append(batch, state)
			made++
		}
		table.Add(batch)
	}
	grown := heap() - before
	begin := time.Now()
	for _, key := range keys[:looked] {
		if _, _, ok := table.Find(twinkey.DigestOf(key)); !ok {
			return fmt.Errorf("a key was not found")
		}
	}
	each := time.Since(begin) / looked
	r.add("verify a key among 2 M, cold", fmt.Sprintf("%d ns", each.Nanoseconds()), "-", "-")
	r.add("gateway table of 1 M accounts", fmt.Sprintf("%d MiB of heap", grown>>20), "budget 400 MB for the gateway", "-")
	state, _, _ := table.Find(twinkey.DigestOf(keys[0]))
	changed := *state
	var changes []time.Duration
	for range 2000 {
		_, _ = rand.Read(changed.Digests[0][:])
		begin := time.Now()
		table.Apply(twinkey.Change{Revision: table.Revision() + 1, Put: []twinkey.AccountState{changed}})
		changes = append(changes, time.Since(begin))
	}
	r.add("apply one change to it, p50 / p99", micros(percentile(changes, 0.5))+" / "+micros(percentile(changes, 0.99)), "-", "-")
	return nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
