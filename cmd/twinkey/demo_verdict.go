package main

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// verdict is what a rotation comes to.
type verdict struct {
	lastAccepted *attempt // with the old key
	firstRefused *attempt // with the old key

	oldAccepted      int // before the answer came, among them calls that overlap it
	oldAfter         int // sent after the answer came
	oldAfterAccepted int

	otherBefore, otherDuring, otherAfter int
}

// judge counts, and says everything that is not as a regenerate must be.
func (r *rotation) judge(before [2]string) (verdict, error) {
	v := r.count()
	var wrong []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	check(r.keys[0] != before[0], "key 1 is the same as before")
	check(r.keys[1] == before[1], "key 2 has changed")
	check(v.oldAfterAccepted == 0, "%d of %d calls with the old key 1 that were sent after the answer came were accepted", v.oldAfterAccepted, v.oldAfter)
	check(v.oldAccepted >= callsBefore, "only %d calls with the old key 1 were accepted before", v.oldAccepted)
	check(v.oldAfter >= callsAfter, "only %d calls with the old key 1 were sent after the answer came", v.oldAfter)
	check(v.otherBefore >= callsBefore && v.otherAfter >= callsAfter, "only %d calls with key 2 were made before and %d after", v.otherBefore, v.otherAfter)
	for _, a := range r.old {
		early := a.answered.Before(r.asked)
		check(a.status == http.StatusUnauthorized || a.status == http.StatusOK, "a call with the old key 1 was answered %d", a.status)
		check(!early || a.status == http.StatusOK, "a call with key 1 before it was regenerated was answered %d", a.status)
	}
	for _, a := range r.other {
		check(a.status == http.StatusOK, "a call with key 2 was answered %d", a.status)
	}
	if v.lastAccepted != nil && v.firstRefused != nil {
		check(v.lastAccepted.sent.Before(v.firstRefused.answered), "a call with the old key 1 was accepted after another had been refused")
	}
	check(r.fresh.status == http.StatusOK, "the first call with the new key 1 was answered %d", r.fresh.status)
	if len(wrong) > 0 { // the first says enough; the same is often true of hundreds
		return v, wrong[0]
	}
	return v, nil
}

func (r *rotation) count() verdict {
	var v verdict
	for i := range r.old {
		a := &r.old[i]
		accepted, after := a.status == http.StatusOK, a.sent.After(r.answered)
		switch {
		case accepted:
			v.lastAccepted = a
		case v.firstRefused == nil:
			v.firstRefused = a
		}
		switch {
		case after && accepted:
			v.oldAfterAccepted++
			v.oldAfter++
		case after:
			v.oldAfter++
		case accepted:
			v.oldAccepted++
		}
	}
	for _, a := range r.other {
		switch {
		case a.sent.After(r.answered):
			v.otherAfter++
		case a.answered.Before(r.asked):
			v.otherBefore++
		default:
			v.otherDuring++
		}
	}
	return v
}

// rows are the instants in their order.
func (v verdict) rows(r *rotation) [][]string {
	type instant struct {
		at   time.Time
		what string
	}
	from := func(t time.Time) string { return fmt.Sprintf("%+.3f", float64(t.Sub(r.answered).Nanoseconds())/1e6) }
	instants := []instant{{r.asked, "regenerate was sent"}, {r.answered, "its answer came"}}
	for _, call := range []struct {
		what string
		*attempt
	}{
		{"last call accepted with the old key 1", v.lastAccepted},
		{"first call refused with the old key 1", v.firstRefused},
		{"first call accepted with the new key 1", &r.fresh},
	} {
		instants = append(instants, instant{call.answered, fmt.Sprintf("%s, sent at %s", call.what, from(call.sent))})
	}
	slices.SortStableFunc(instants, func(a, b instant) int { return a.at.Compare(b.at) })
	var rows [][]string
	for _, i := range instants {
		rows = append(rows, []string{from(i.at), i.what})
	}
	return rows
}

// milliseconds is a duration as people compare them.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
