package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"sync"
	"time"
)

// What strangers do in flood: hold connections, and call with wrong keys.
const (
	floodIdle  = 10_000
	floodRate  = 50_000
	floodConns = 64
	goodRate   = 200
	wrongKey   = "0123456789abcdef0123456789abcdef"
)

// flood calls with a good key while strangers hold ten thousand idle connections
// and call with wrong keys, and looks at the good calls and at memory.
func (r *run) flood() error {
	up := freeAddress()
	upstream, err := r.start("", r.self, "upstream", up)
	if err != nil {
		return err
	}
	defer upstream.stop()
	s := r.server("flood", up)
	if err := s.prepare(); err != nil {
		return err
	}
	p, err := s.start("")
	if err != nil {
		return err
	}
	defer p.stop()
	calm, err := r.load("", s.gatewayHTTP, requestWith(s.key), goodRate, r.duration, "-conns", "4")
	if err != nil {
		return err
	}
	before := p.memory("VmRSS")
	end, err := r.hold(s.gatewayHTTP)
	if err != nil {
		return err
	}
	held := p.memory("VmRSS")
	good, wrong, peak, err := r.under(p, s)
	open := end()
	if err != nil {
		return err
	}
	r.add(fmt.Sprintf("%d idle connections: memory", floodIdle), fmt.Sprintf("%d MiB resident", held), fmt.Sprintf("%d MiB before", before), fmt.Sprintf("%d still open afterwards", open))
	r.add("wrong keys a second, for "+r.flooding.String(), fmt.Sprintf("%.0f refused, %d connections failed", float64(wrong.Calls)/wrong.Elapsed.Seconds(), wrong.Failed), fmt.Sprintf("%d wanted", floodRate), "-")
	r.add("good calls meanwhile", fmt.Sprintf("%d of %d answered 200, p50 %s, p99 %s", good.Calls, int(r.flooding.Seconds()*goodRate), millis(good.P50), millis(good.P99)),
		"calm: p50 "+millis(calm.P50)+", p99 "+millis(calm.P99), fmt.Sprintf("%d connections failed", good.Failed))
	r.add("memory at its peak meanwhile", fmt.Sprintf("%d MiB resident", peak), fmt.Sprintf("%d MiB before", held), "-")
	return nil
}

// under runs good and wrong calls at once and watches the server's memory.
func (r *run) under(p *process, s *server) (good, wrong loadResult, peak int, err error) {
	var goodErr, wrongErr error
	var calls sync.WaitGroup
	calls.Go(func() {
		wrong, wrongErr = r.load("", s.gatewayHTTP, requestWith(wrongKey), floodRate, r.flooding, "-conns", fmt.Sprint(floodConns), "-status", "401")
	})
	calls.Go(func() {
		good, goodErr = r.load("", s.gatewayHTTP, requestWith(s.key), goodRate, r.flooding, "-conns", "4")
	})
	done := make(chan struct{})
	go func() { calls.Wait(); close(done) }()
	for {
		select {
		case <-done:
			if goodErr == nil {
				goodErr = wrongErr
			}
			return good, wrong, peak, goodErr
		case <-time.After(100 * time.Millisecond):
			peak = max(peak, p.memory("VmRSS"))
		}
	}
}

// hold opens the idle connections, from a process of their own. What it returns
// ends them and says how many are open still.
func (r *run) hold(address string) (end func() int, err error) {
	cmd := exec.CommandContext(r.ctx, r.self, "idle", address, fmt.Sprint(floodIdle))
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil || line != "open\n" {
		return nil, fmt.Errorf("holding %d connections: %q, %w", floodIdle, line, err)
	}
	return func() (open int) {
		_ = in.Close()
		_, _ = fmt.Fscan(lines, &open) // 0 if it ended otherwise
		_ = cmd.Wait()
		return open
	}, nil
}
