package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/etcdnode"
	"github.com/twinkey/twinkey/internal/etcdstore"
	"github.com/twinkey/twinkey/internal/sealing"
)

// scale measures a server that holds very many accounts: start, memory, pages
// of a list.
func (r *run) scale() error {
	for _, n := range r.accounts {
		s := r.server(fmt.Sprintf("scale%d", n), "127.0.0.1:9")
		if err := s.prepare(); err != nil {
			return err
		}
		sub, err := s.cli("account", "show", "--query", "id", "-o", "tsv")
		if err != nil {
			return err
		}
		filling := exec.CommandContext(r.ctx, r.self, "fill", s.data, sub, strconv.Itoa(n))
		filling.Stderr = os.Stderr
		if err := filling.Run(); err != nil {
			return fmt.Errorf("filling the store: %w", err)
		}
		if err := r.scaled(s, n); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) scaled(s *server, n int) error {
	begin := time.Now()
	p, err := s.start("")
	if err != nil {
		return err
	}
	defer p.stop()
	what := fmt.Sprintf("%d accounts: ", n)
	r.add(what+"start to ready", millis(time.Since(begin)), "budget 6 s at 1 M", "-")
	r.add(what+"memory", fmt.Sprintf("%d MiB anonymous, %d MiB resident", p.memory("RssAnon"), p.memory("VmRSS")), "server and gateway in one process", "-")
	if err := s.login(); err != nil {
		return err
	}
	pages, err := s.pages(200)
	if err != nil {
		return err
	}
	r.add(what+"page of a subscription's list, p50 / p99", millis(percentile(pages, 0.5))+" / "+millis(percentile(pages, 0.99)), "budget p99 20 ms", "-")
	return nil
}

// pages reads the first pages of the list of accounts over HTTPS.
func (s *server) pages(limit int) ([]time.Duration, error) {
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
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	next := "https://" + s.management + "/subscriptions/" + sub + "/providers/Microsoft.CognitiveServices/accounts?api-version=2025-06-01"
	var took []time.Duration
	for len(took) < limit && next != "" {
		request, err := http.NewRequestWithContext(s.run.ctx, http.MethodGet, next, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		begin := time.Now()
		answer, err := client.Do(request)
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

// fill writes accounts straight into a store: a thousand to a group, fifty to a
// transaction.
func fill(args []string) {
	if err := filling(args[0], args[1], args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func filling(dir, sub, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	ctx := context.Background()
	node, err := etcdnode.Start(ctx, etcdnode.Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer node.Stop(ctx)
	store, err := etcdstore.Open(ctx, node.Client())
	if err != nil {
		return err
	}
	const perGroup, perWrite, writers = 1000, 50, 16
	groups := make(chan int)
	failures := make(chan error, writers)
	var working sync.WaitGroup
	for range writers {
		working.Go(func() {
			for g := range groups {
				if err := fillGroup(ctx, store, sub, g, min(perGroup, n-g*perGroup), perWrite); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	for g := 0; g*perGroup < n; g++ {
		select {
		case groups <- g:
		case err := <-failures:
			return err
		}
	}
	close(groups)
	working.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}

func fillGroup(ctx context.Context, store *etcdstore.Store, sub string, g, n, perWrite int) error {
	group := &accounts.Group{ID: twinkey.ResourceID{Subscription: sub, Group: fmt.Sprintf("g%04d", g)}, Location: "local", State: accounts.GroupActive}
	if _, err := store.Commit(ctx, accounts.Write{Put: []accounts.Document{group}}); err != nil {
		return err
	}
	for at := 0; at < n; at += perWrite {
		var w accounts.Write
		for i := at; i < min(at+perWrite, n); i++ {
			id := group.ID
			id.Account = fmt.Sprintf("account%04d", i)
			a := &accounts.Account{ID: id, UID: sealing.NewUID(), Kind: "TextAnalytics", SKU: "S", Location: "local"}
			for slot := range a.Slots {
				key := sealing.NewKey().Reveal()
				a.Slots[slot] = accounts.Slot{Generation: 1, Digest: twinkey.DigestOf(key), Sealed: []byte(strings.Repeat(key, 2))}
			}
			w.Put = append(w.Put, a)
		}
		if _, err := store.Commit(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
