package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// loadResult is what the load helper prints.
type loadResult struct {
	Calls, Failed int
	Elapsed       time.Duration
	P50, P99      time.Duration
}

// load calls a server over keep-alive connections: at a fixed rate, latency
// taken from when a call was due; or, with rate 0, each connection as fast as it
// is answered. It bounds itself in time.
func load(args []string) {
	f := flag.NewFlagSet("load", flag.ExitOnError)
	address := f.String("address", "", "host:port")
	request := f.String("request", "", "the whole request, with \\n between its lines")
	conns := f.Int("conns", 64, "connections")
	rate := f.Int("rate", 0, "calls a second over all connections; 0: as fast as answered")
	duration := f.Duration("duration", time.Second, "how long")
	status := f.String("status", "200", "the status that is expected")
	_ = f.Parse(args)
	message := []byte(strings.ReplaceAll(*request, `\n`, "\r\n") + "\r\n\r\n")
	var mu sync.Mutex
	var all []time.Duration
	failed := 0
	begin := time.Now()
	var group sync.WaitGroup
	for i := range *conns {
		group.Go(func() {
			took, bad := drive(*address, message, *status, begin, *duration, i, *conns, *rate)
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, took...), failed+bad
		})
	}
	group.Wait()
	_ = json.NewEncoder(os.Stdout).Encode(loadResult{Calls: len(all), Failed: failed, Elapsed: time.Since(begin), P50: percentile(all, 0.5), P99: percentile(all, 0.99)})
}

// drive is one connection's calls.
func drive(address string, message []byte, status string, begin time.Time, duration time.Duration, i, conns, rate int) ([]time.Duration, int) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, 1
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 4096)
	var took []time.Duration
	for k := 0; ; k++ {
		due := time.Now()
		if rate > 0 {
			due = begin.Add(time.Duration(k*conns+i) * time.Second / time.Duration(rate))
			time.Sleep(time.Until(due))
		}
		if due.Sub(begin) > duration {
			return took, 0
		}
		if _, err := conn.Write(message); err != nil {
			return took, 1
		}
		if err := readAnswer(in, status); err != nil {
			return took, 1
		}
		took = append(took, time.Since(due))
	}
}

// readAnswer reads one answer that has a Content-Length and the status expected.
func readAnswer(in *bufio.Reader, status string) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && (len(line) < 12 || string(line[9:12]) != status) {
			return fmt.Errorf("answered %s", line)
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 16 && strings.EqualFold(string(line[:16]), "content-length: ") {
			length = 0
			for _, c := range line[16 : len(line)-2] {
				length = length*10 + int(c-'0')
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("no Content-Length")
	}
	_, err := in.Discard(length)
	return err
}

// idle makes one call with a wrong key on each of many connections and then holds
// them open and says nothing, until it is told to end. It prints when all are
// open, and at the end how many still are.
func idle(args []string) {
	var n int
	if _, err := fmt.Sscan(args[1], &n); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	call := []byte(strings.ReplaceAll(requestWith(wrongKey), `\n`, "\r\n") + "\r\n\r\n")
	conns := make([]net.Conn, 0, n)
	for range n {
		conn, err := net.Dial("tcp", args[0])
		if err == nil {
			_, err = conn.Write(call)
		}
		if err == nil {
			err = readAnswer(bufio.NewReader(conn), "401")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		conns = append(conns, conn)
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	open := 0
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		}
		_ = conn.Close()
	}
	fmt.Println(open)
}

// upstream answers every request with 300 bytes, as cheaply as Go can: it must
// not be what is measured.
func upstream(args []string) {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 300\r\n\r\n" + strings.Repeat("x", 300))
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			in := bufio.NewReaderSize(conn, 4096)
			for {
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) <= 2 {
						break
					}
				}
				if _, err := conn.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}
