package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// scale measures a server that holds very many accounts: start, memory, pages
// of a list. Of the largest number it does so once more with all in one group.
func (r *run) scale() error {
	for i, n := range r.accounts {
		groupings := []int{1000}
		if i == len(r.accounts)-1 {
			groupings = append(groupings, n)
		}
		for _, perGroup := range groupings {
			if err := r.scaledTo(n, perGroup); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) scaledTo(n, perGroup int) error {
	s := r.server(fmt.Sprintf("scale%d-%d", n, perGroup), "127.0.0.1:9")
	if err := s.prepare(); err != nil {
		return err
	}
	defer os.RemoveAll(s.data)
	sub, err := s.cli("account", "show", "--query", "id", "-o", "tsv")
	if err != nil {
		return err
	}
	filling := exec.CommandContext(r.ctx, r.self, "fill", s.data, sub, strconv.Itoa(n), strconv.Itoa(perGroup))
	filling.Stderr = os.Stderr
	if err := filling.Run(); err != nil {
		return fmt.Errorf("filling the store: %w", err)
	}
	what := fmt.Sprintf("%d accounts: ", n)
	if perGroup == n {
		what = fmt.Sprintf("%d accounts in one group: ", n)
	}
	return r.scaled(s, what, fillGroupName(n/perGroup/2)+"/"+fillAccountName(perGroup/2))
}

// scaled starts the server and measures it; middle is where the midst of the
// list is.
func (r *run) scaled(s *server, what, middle string) error {
	begin := time.Now()
	p, err := s.start("")
	if err != nil {
		return err
	}
	defer p.stop()
	r.add(what+"start to ready", millis(time.Since(begin)), "budget 6 s at 1 M", "-")
	r.add(what+"processor time of the start", millis(p.cpu()), "-", "-")
	r.add(what+"memory", fmt.Sprintf("%d MiB anonymous, %d MiB resident", p.memory("RssAnon"), p.memory("VmRSS")), "server and gateway in one process", "-")
	if err := s.login(); err != nil {
		return err
	}
	l, err := s.list()
	if err != nil {
		return err
	}
	if _, err := l.pages("", 20); err != nil { // the first calls pay for connections and caches
		return err
	}
	var first []time.Duration
	for range 50 {
		took, err := l.pages("", 1)
		if err != nil {
			return err
		}
		first = append(first, took...)
	}
	r.paged(what+"first page of a subscription's list", first)
	for where, from := range map[string]string{"from the start": "", "from the middle": middle} {
		took, err := l.pages(from, 200)
		if err != nil {
			return err
		}
		r.paged(what+"pages of that list "+where, took)
	}
	return nil
}

func (r *run) paged(what string, took []time.Duration) {
	r.add(what+", p50 / p99", millis(percentile(took, 0.5))+" / "+millis(percentile(took, 0.99)), "budget p99 20 ms", "-")
}

// list is a subscription's accounts over HTTPS.
type list struct {
	ctx        context.Context
	client     *http.Client
	url, token string
}

func (s *server) list() (*list, error) {
	token, err := s.cli("account", "get-access-token", "--query", "accessToken", "-o", "tsv")
	if err != nil {
		return nil, err
	}
	sub, err := s.cli("account", "show", "--query", "id", "-o", "tsv")
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(s.data + "-config/ca.pem")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &list{
		ctx: s.run.ctx, client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}, token: token,
		url: "https://" + s.management + "/subscriptions/" + sub + "/providers/Microsoft.CognitiveServices/accounts?api-version=2025-06-01",
	}, nil
}

// pages reads some pages, the first of which begins after a place in the list.
func (l *list) pages(after string, limit int) ([]time.Duration, error) {
	next := l.url
	if after != "" {
		next += "&$skipToken=" + base64.RawURLEncoding.EncodeToString([]byte(after))
	}
	var took []time.Duration
	for len(took) < limit && next != "" {
		request, err := http.NewRequestWithContext(l.ctx, http.MethodGet, next, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+l.token)
		begin := time.Now()
		answer, err := l.client.Do(request)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(answer.Body)
		took = append(took, time.Since(begin))
		answer.Body.Close()
		var page struct {
			Value    []json.RawMessage
			NextLink string
		}
		if err := errors.Join(err, json.Unmarshal(body, &page)); err != nil || len(page.Value) == 0 {
			return nil, fmt.Errorf("reading a page: status %d, %w", answer.StatusCode, err)
		}
		next = page.NextLink
	}
	return took, nil
}
