package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// benchKey is the key the other proxies know; it opens nothing else.
const benchKey = "00000000000000000000000000000bad"

// contender is a proxy that demands a key.
type contender struct {
	name    string
	address string
	key     string
	start   func(cpus string, threads int) (*process, error)
}

// proxies compares what a proxied call costs, with the key checked, against
// nginx and HAProxy with the key in a map.
func (r *run) proxies() error {
	for _, tool := range []string{"nginx", "haproxy", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			r.add("proxied call", "not measured", tool+" is not installed", "-")
			return nil
		}
	}
	up := freeAddress()
	upstream, err := r.start("1", r.self, "upstream", up)
	if err != nil {
		return err
	}
	defer upstream.stop()
	if err := waitFor(r.ctx, up); err != nil {
		return err
	}
	contenders := []contender{r.nginx(up), r.haproxy(up), r.gateway(up)}
	for _, mode := range []struct {
		name, server, client string
		threads, rate        int
	}{
		{"on one processor at 2000 calls a second", "0", "1", 1, 2000},
		{"saturated", "", "", 2, 0},
	} {
		results := map[string]measured{}
		for _, c := range contenders {
			m, err := r.contend(c, mode.server, mode.client, mode.threads, mode.rate)
			if err != nil {
				return fmt.Errorf("%s %s: %w", c.name, mode.name, err)
			}
			results[c.name] = m
		}
		r.compare(mode.name, results)
	}
	return nil
}

// measured is what one load came to.
type measured struct {
	loadResult
	perCall time.Duration // processor time of the server
}

func (r *run) compare(mode string, results map[string]measured) {
	ours := results["twinkey"]
	for _, other := range []string{"nginx", "haproxy"} {
		m := results[other]
		r.add("proxied call, "+mode+": CPU", micros(ours.perCall), other+" "+micros(m.perCall), ratio(ours.perCall, m.perCall))
		r.add("proxied call, "+mode+": latency p50 / p99", micros(ours.P50)+" / "+micros(ours.P99), other+" "+micros(m.P50)+" / "+micros(m.P99), ratio(ours.P50, m.P50)+" / "+ratio(ours.P99, m.P99))
		perSecond := func(m measured) float64 { return float64(m.Calls) / m.Elapsed.Seconds() }
		r.add("proxied call, "+mode+": calls a second", fmt.Sprintf("%.0f", perSecond(ours)), fmt.Sprintf("%s %.0f", other, perSecond(m)), fmt.Sprintf("%.2f", perSecond(ours)/perSecond(m)))
	}
}

func (r *run) contend(c contender, server, client string, threads, rate int) (measured, error) {
	p, err := c.start(server, threads)
	if err != nil {
		return measured{}, err
	}
	defer p.stop()
	if err := waitFor(r.ctx, c.address); err != nil {
		return measured{}, err
	}
	request := requestWith(c.key)
	if _, err := r.load(client, c.address, request, rate, time.Second); err != nil { // warm up
		return measured{}, err
	}
	before := p.cpu()
	result, err := r.load(client, c.address, request, rate, r.duration)
	if err != nil {
		return measured{}, err
	}
	if result.Failed > 0 || result.Calls == 0 {
		return measured{}, fmt.Errorf("%d calls, %d connections failed", result.Calls, result.Failed)
	}
	return measured{result, (p.cpu() - before) / time.Duration(result.Calls)}, nil
}

func requestWith(key string) string {
	return fmt.Sprintf(`GET /text/x HTTP/1.1\nHost: gateway\nOcp-Apim-Subscription-Key: %s\nUser-Agent: bench`, key)
}

func (r *run) load(cpus, address, request string, rate int, duration time.Duration, more ...string) (loadResult, error) {
	args := append([]string{"load", "-address", address, "-request", request, "-rate", fmt.Sprint(rate), "-duration", duration.String()}, more...)
	name := r.self
	if cpus != "" {
		name, args = "taskset", append([]string{"-c", cpus, r.self}, args...)
	}
	out, err := exec.CommandContext(r.ctx, name, args...).Output()
	var result loadResult
	return result, errors.Join(err, json.Unmarshal(out, &result))
}

func (r *run) nginx(up string) contender {
	address := freeAddress()
	return contender{"nginx", address, benchKey, func(cpus string, threads int) (*process, error) {
		conf, err := r.file("nginx.conf", fmt.Sprintf(`daemon off; worker_processes %d; pid %s; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000;
  map $http_ocp_apim_subscription_key $account { default ""; "%s" "bench"; }
  upstream service { server %s; keepalive 128; keepalive_requests 100000000; }
  server { listen %s;
    location /text/ { if ($account = "") { return 401; }
      proxy_set_header Ocp-Apim-Subscription-Key ""; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://service; } } }
`, threads, filepath.Join(r.dir, "nginx.pid"), benchKey, up, address))
		if err != nil {
			return nil, err
		}
		return r.start(cpus, "nginx", "-p", r.dir, "-c", conf)
	}}
}

func (r *run) haproxy(up string) contender {
	address := freeAddress()
	return contender{"haproxy", address, benchKey, func(cpus string, threads int) (*process, error) {
		keys, err := r.file("keys.map", benchKey+" bench\n")
		if err != nil {
			return nil, err
		}
		conf, err := r.file("haproxy.cfg", fmt.Sprintf(`global
  nbthread %d
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend gateway
  bind %s
  http-request set-var(txn.account) req.hdr(Ocp-Apim-Subscription-Key),map_str(%s)
  http-request deny deny_status 401 unless { var(txn.account) -m found }
  http-request del-header Ocp-Apim-Subscription-Key
  default_backend service
backend service
  http-reuse always
  server one %s
`, threads, address, keys, up))
		if err != nil {
			return nil, err
		}
		return r.start(cpus, "haproxy", "-db", "-f", conf)
	}}
}

// gateway is ours, with an account made and its key read through the command
// line, as a user would.
func (r *run) gateway(up string) contender {
	s := r.server("proxy", up)
	if err := s.prepare(); err != nil {
		return contender{"twinkey", "", "", func(string, int) (*process, error) { return nil, err }}
	}
	return contender{"twinkey", s.gatewayHTTP, s.key, func(cpus string, _ int) (*process, error) { return s.start(cpus) }}
}
