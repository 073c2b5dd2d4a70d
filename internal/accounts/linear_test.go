package accounts_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

// operation is what one client did; result is what it saw.
type operation struct {
	account int
	slot    twinkey.KeyName // of a regenerate; 0 otherwise
	list    bool
	call    twinkey.Secret // the key presented at the gateway
}

type result struct {
	keys     accounts.Keys
	joined   bool
	accepted bool
}

// twoKeys is the whole promise as a sequential machine: an account has two keys,
// a regenerate replaces one, and the gateway accepts exactly these two.
var twoKeys = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[int][]porcupine.Operation{}
		for _, o := range history {
			at := o.Input.(operation).account
			parts[at] = append(parts[at], o)
		}
		var list [][]porcupine.Operation
		for _, p := range parts {
			list = append(list, p)
		}
		return list
	},
	Init: func() any { return accounts.Keys{} }, // not known until the first answer
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(accounts.Keys), input.(operation), output.(result)
		unknown := now == accounts.Keys{}
		switch {
		case in.list || out.joined:
			return unknown || now == out.keys, out.keys
		case in.slot == twinkey.Key1:
			return unknown || now.Key2 == out.keys.Key2 && now.Key1 != out.keys.Key1, out.keys
		case in.slot == twinkey.Key2:
			return unknown || now.Key1 == out.keys.Key1 && now.Key2 != out.keys.Key2, out.keys
		}
		return out.accepted == (in.call == now.Key1 || in.call == now.Key2), now
	},
	Equal: func(a, b any) bool { return a == b },
}

// I3, I6: regenerates of both slots, listings, and calls at the gateway, all at
// once, have an order in which each takes effect at one instant between its
// start and its end. In particular an old key is refused from the moment the
// regenerate has returned, and a key that has been shown is accepted.
func TestKeysAndCallsAreLinearizable(t *testing.T) {
	const accountCount, clients, steps = 3, 6, 120
	w := newWorld(t, nil)
	began := time.Now()
	var history struct {
		sync.Mutex
		list []porcupine.Operation
	}
	do := func(client int, in operation, f func() (result, bool)) result {
		start := time.Since(began).Nanoseconds()
		out, ok := f()
		end := time.Since(began).Nanoseconds()
		if ok {
			history.Lock()
			history.list = append(history.list, porcupine.Operation{ClientId: client, Input: in, Call: start, Output: out, Return: end})
			history.Unlock()
		}
		return out
	}
	var known [accountCount]struct { // keys that were shown at some time
		sync.Mutex
		keys []twinkey.Secret
	}
	learn := func(account int, k accounts.Keys) {
		known[account].Lock()
		defer known[account].Unlock()
		known[account].keys = append(known[account].keys, k.Key1, k.Key2)
	}
	var ids [accountCount]twinkey.ResourceID
	for i := range ids {
		ids[i] = w.create(fmt.Sprintf("acct%d", i))
		in := operation{account: i, list: true}
		learn(i, do(0, in, func() (result, bool) { return result{keys: w.keys(ids[i])}, true }).keys)
	}
	var accepted, refused atomic.Int64
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(client), 7))
			for range steps {
				account := random.IntN(accountCount)
				switch pick := random.IntN(10); {
				case pick == 0:
					in := operation{account: account, slot: twinkey.KeyNames()[random.IntN(2)]}
					learn(account, do(client, in, func() (result, bool) {
						keys, out, err := w.service.Regenerate(t.Context(), w.who(), ids[account], in.slot, accounts.Precondition{})
						if err != nil {
							t.Error(err)
						}
						return result{keys: keys, joined: out.Joined}, err == nil
					}).keys)
				case pick == 1:
					in := operation{account: account, list: true}
					do(client, in, func() (result, bool) { return result{keys: w.keys(ids[account])}, true })
				default:
					known[account].Lock()
					keys := known[account].keys
					in := operation{account: account, call: keys[max(0, len(keys)-1-random.IntN(6))]}
					known[account].Unlock()
					if do(client, in, func() (result, bool) { return result{accepted: w.call(in.call) == 200}, true }).accepted {
						accepted.Add(1)
					} else {
						refused.Add(1)
					}
				}
			}
		})
	}
	group.Wait()
	if accepted.Load() < 50 || refused.Load() < 50 {
		t.Fatalf("%d calls accepted and %d refused: the history says too little", accepted.Load(), refused.Load())
	}
	if got := porcupine.CheckOperationsTimeout(twoKeys, history.list, time.Minute); got != porcupine.Ok {
		t.Fatalf("the history of %d operations is %v", len(history.list), got)
	}
	stale := append([]porcupine.Operation{}, history.list...)
	end := stale[len(stale)-1].Return
	old := known[0].keys[0]
	stale = append(stale, porcupine.Operation{ClientId: 99, Call: end + 1, Return: end + 2,
		Input: operation{account: 0, call: old}, Output: result{accepted: !(w.call(old) == 200)}})
	if porcupine.CheckOperations(twoKeys, stale) {
		t.Error("a call that was answered wrongly was not noticed: the check cannot fail")
	}
}
