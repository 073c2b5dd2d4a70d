package main

import (
	"strings"
	"testing"
	"time"
)

// If this fails, a regenerate that did not do what it must is called a success.
func TestVerdictOnRotations(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	calls := func(first, n, status int) []attempt {
		var all []attempt
		for i := range n {
			all = append(all, attempt{at(first + 2*i), at(first + 2*i + 1), status})
		}
		return all
	}
	// Asked at 1000 and answered at 1010: what was sent before 1000 is accepted.
	const asked, answered = 1000, 1010
	good := func() *rotation {
		return &rotation{
			asked: at(asked), answered: at(answered), keys: [2]string{"new", "two"},
			old:   append(calls(asked-2*callsBefore, callsBefore+2, 200), calls(asked+4, callsAfter+10, 401)...),
			other: calls(asked-2*callsBefore, callsBefore+callsAfter+10, 200),
			fresh: attempt{at(answered + 1), at(answered + 2), 200},
		}
	}
	before := [2]string{"one", "two"}
	v, err := good().judge(before)
	if err != nil || v.oldAfterAccepted != 0 || v.oldAfter != callsAfter+6 || v.oldAccepted != callsBefore+2 || v.otherBefore != callsBefore || v.otherDuring != 6 || v.otherAfter != callsAfter+4 {
		t.Errorf("a good one was judged %+v, %v", v, err)
	}
	if !v.lastAccepted.answered.Equal(at(asked+3)) || !v.firstRefused.sent.Equal(at(asked+4)) {
		t.Errorf("the last call accepted was %+v, the first refused %+v", v.lastAccepted, v.firstRefused)
	}
	for _, tt := range []struct {
		name  string
		spoil func(*rotation)
		want  string
	}{
		{"key 1 stays", func(r *rotation) { r.keys[0] = "one" }, "key 1 is the same as before"},
		{"key 2 goes", func(r *rotation) { r.keys[1] = "new two" }, "key 2 has changed"},
		{"one late admission", func(r *rotation) { r.old[len(r.old)-1].status = 200 }, "1 of 506 calls with the old key 1 that were sent after the answer came were accepted"},
		{"accepted, refused, accepted", func(r *rotation) { r.old[callsBefore].status = 401 }, "a call with the old key 1 was accepted after another had been refused"},
		{"refused too early", func(r *rotation) { r.old[3].status = 401 }, "a call with key 1 before it was regenerated was answered 401"},
		{"another answer", func(r *rotation) { r.old[len(r.old)-1].status = 503 }, "a call with the old key 1 was answered 503"},
		{"nothing tried before", func(r *rotation) { r.old = r.old[callsBefore:] }, "only 2 calls with the old key 1 were accepted before"},
		{"nothing tried after", func(r *rotation) { r.old = r.old[:callsBefore+4] }, "only 0 calls with the old key 1 were sent after the answer came"},
		{"key 2 refused", func(r *rotation) { r.other[callsBefore+1].status = 401 }, "a call with key 2 was answered 401"},
		{"key 2 not tried", func(r *rotation) { r.other = r.other[:callsBefore] }, "only 200 calls with key 2 were made before and 0 after"},
		{"the new key refused", func(r *rotation) { r.fresh.status = 401 }, "the first call with the new key 1 was answered 401"},
	} {
		r := good()
		tt.spoil(r)
		if _, err := r.judge(before); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: judged %v", tt.name, err)
		}
	}
}

// If this fails, the instants are not told in the order in which they were.
func TestVerdictRowsAreInOrder(t *testing.T) {
	start := time.Now()
	at := func(us int) time.Time { return start.Add(time.Duration(us) * time.Microsecond) }
	r := &rotation{asked: at(-1500), answered: at(0), fresh: attempt{at(7), at(900), 200}}
	v := verdict{lastAccepted: &attempt{at(-900), at(120), 200}, firstRefused: &attempt{at(-100), at(-20), 401}}
	var got []string
	for _, row := range v.rows(r) {
		got = append(got, strings.Join(row, " "))
	}
	want := []string{
		"-1.500 regenerate was sent",
		"-0.020 first call refused with the old key 1, sent at -0.100",
		"+0.000 its answer came",
		"+0.120 last call accepted with the old key 1, sent at -0.900",
		"+0.900 first call accepted with the new key 1, sent at +0.007",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("told as\n%s", strings.Join(got, "\n"))
	}
}
