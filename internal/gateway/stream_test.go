package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/twinkey/twinkey/internal/web"
)

// request is a request with a good key.
func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(keyName, stageKey1)
	return r
}

func do(t *testing.T, c *http.Client, r *http.Request) *http.Response {
	t.Helper()
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	text, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// doors are the ways into a gateway: as it is, and as the product serves it.
func doors(t *testing.T, upstream http.Handler, enter func(t *testing.T, url string, c *http.Client)) {
	for name, secure := range map[string]func(s *stage) (string, *http.Client){
		"HTTP/1.1": func(s *stage) (string, *http.Client) { return s.server.URL, s.server.Client() },
		"net/http": func(s *stage) (string, *http.Client) {
			d := open(t, web.Config{Handler: s.gateway})
			return d.URL, d.Client()
		},
		"HTTP/1.1 over TLS": func(s *stage) (string, *http.Client) {
			at, c := s.secure(false)
			return "https://" + at, c
		},
		"HTTP/2": func(s *stage) (string, *http.Client) {
			at, c := s.secure(true)
			return "https://" + at, c
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, client := secure(newStage(t, upstream, nil))
			enter(t, url, client)
		})
	}
}

// An answer reaches the client as the service writes it: the first event of a
// stream is read while the second is not written yet.
func TestAnswersStream(t *testing.T) {
	next := make(chan struct{})
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}), func(t *testing.T, url string, c *http.Client) {
		answer := do(t, c, request(t, http.MethodPost, url+"/text/x", nil))
		in := bufio.NewReader(answer.Body)
		for i := range 3 {
			if got := line(t, in); got != fmt.Sprint("data: ", i) {
				t.Errorf("event %d is %q", i, got)
			}
			line(t, in)
			next <- struct{}{}
		}
		if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
			t.Errorf("then comes %q, %v", rest, err)
		}
	})
}

// An answer is passed on as far as it has come, also when its length is known:
// its head before its body begins, the first part before the second.
func TestAnswersOfKnownLengthStream(t *testing.T) {
	next := make(chan struct{})
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "8")
		w.WriteHeader(http.StatusAccepted)
		_ = http.NewResponseController(w).Flush()
		<-next
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-next
		fmt.Fprint(w, "done")
	}), func(t *testing.T, url string, c *http.Client) {
		answer := do(t, c, request(t, http.MethodGet, url+"/text/x", nil))
		next <- struct{}{}
		half := make([]byte, 4)
		if _, err := io.ReadFull(answer.Body, half); err != nil {
			t.Fatal(err)
		}
		next <- struct{}{}
		if rest, err := io.ReadAll(answer.Body); answer.StatusCode != http.StatusAccepted || err != nil || string(half)+string(rest) != "halfdone" {
			t.Errorf("%d %q %q, %v", answer.StatusCode, half, rest, err)
		}
	})
}

// What a client sends reaches the service as it is sent: a recording is
// transcribed while it is being made.
func TestRequestsStream(t *testing.T) {
	got := make(chan string)
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := bufio.NewReader(r.Body)
		for {
			text, err := in.ReadString('\n')
			if err != nil {
				fmt.Fprint(w, len(r.TransferEncoding), err)
				return
			}
			got <- text
		}
	}), func(t *testing.T, url string, c *http.Client) {
		body, out := io.Pipe()
		go func() {
			for i := range 3 {
				fmt.Fprintln(out, "part", i)
				if text := <-got; text != fmt.Sprintln("part", i) {
					t.Errorf("part %d arrives as %q", i, text)
				}
			}
			out.Close()
		}()
		answer := do(t, c, request(t, http.MethodPost, url+"/text/x", body))
		if text, err := io.ReadAll(answer.Body); err != nil || string(text) != "1 EOF" {
			t.Errorf("%q, %v", text, err)
		}
	})
}

// Large bodies pass both ways, whole.
func TestLargeBodies(t *testing.T) {
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}), func(t *testing.T, url string, c *http.Client) {
		large := make([]byte, 5<<20)
		random := rand.NewChaCha8([32]byte{1})
		_, _ = random.Read(large)
		answer := do(t, c, request(t, http.MethodPost, url+"/text/x", bytes.NewReader(large)))
		sum := sha256.New()
		if n, err := io.Copy(sum, answer.Body); err != nil || n != int64(len(large)) || !bytes.Equal(sum.Sum(nil), sumOf(large)) {
			t.Errorf("%d bytes come back, %v", n, err)
		}
		if answer.ContentLength != int64(len(large)) {
			t.Errorf("with length %d", answer.ContentLength)
		}
	})
}

func sumOf(b []byte) []byte { s := sha256.Sum256(b); return s[:] }

// HEAD has the head of the answer and no body, and the connection goes on.
func TestHeadRequests(t *testing.T) {
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "7")
		w.Header().Set("X-Method", r.Method)
		fmt.Fprint(w, "content")
	}), func(t *testing.T, url string, c *http.Client) {
		for range 2 {
			answer := do(t, c, request(t, http.MethodHead, url+"/text/x", nil))
			body, err := io.ReadAll(answer.Body)
			if err != nil || len(body) > 0 || answer.ContentLength != 7 || answer.Header.Get("X-Method") != http.MethodHead {
				t.Errorf("%q, %v, length %d, %v", body, err, answer.ContentLength, answer.Header)
			}
		}
	})
}

// Trailers of an answer reach the client, which reads from them whether the
// answer is whole.
func TestTrailersOfAnswers(t *testing.T) {
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, "body")
		w.Header().Set("X-Sum", "9")
		w.Header().Set(http.TrailerPrefix+"X-More", "8")
	}), func(t *testing.T, url string, c *http.Client) {
		answer := do(t, c, request(t, http.MethodGet, url+"/text/x", nil))
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != "body" || answer.Trailer.Get("X-Sum") != "9" || answer.Trailer.Get("X-More") != "8" {
			t.Errorf("%q, %v, trailers %v", body, err, answer.Trailer)
		}
	})
}

// A client that asks before it sends its body is told to go on when the service
// wants it; one with a bad key is refused without it.
func TestContinueIsAskedOfTheService(t *testing.T) {
	s := newStage(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/no") {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "got %s", body)
	}), nil)
	w := s.raw(head(http.MethodPost, "/text/x", "Content-Length: 4", "Expect: 100-continue"))
	w.expect(t, "HTTP/1.1 100 Continue\r\n\r\n")
	w.write(t, "body")
	answer, body := w.answer(t, http.MethodPost)
	for answer.StatusCode == http.StatusContinue { // the service's own, after the gateway's
		answer, body = w.answer(t, http.MethodPost)
	}
	if answer.StatusCode != http.StatusOK || body != "got body" {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	for target, want := range map[string]int{"/text/no": http.StatusRequestEntityTooLarge, "/nowhere": http.StatusNotFound, "/text/..": http.StatusBadRequest} {
		w := s.raw(head(http.MethodPost, target, "Content-Length: 4", "Expect: 100-continue"))
		if answer, _ := w.answer(t, http.MethodPost); answer.StatusCode != want {
			t.Errorf("%s: %d", target, answer.StatusCode)
		}
	}
}

// A client that goes away ends its call at the service, which need not work for
// nobody.
func TestClientThatGoesEndsItsCall(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	doors(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/streams") {
			_ = http.NewResponseController(w).Flush()
		}
		began <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	}), func(t *testing.T, url string, c *http.Client) {
		for _, path := range []string{"/text/waits", "/text/streams"} {
			r := request(t, http.MethodGet, url+path, nil)
			ctx, cancel := contextOf(r)
			done := make(chan error, 1)
			go func() {
				answer, err := c.Do(r.WithContext(ctx))
				if err == nil {
					_, err = io.ReadAll(answer.Body)
					answer.Body.Close()
				}
				done <- err
			}()
			<-began
			cancel()
			<-ended
			if err := <-done; err == nil {
				t.Errorf("%s: a call that was given up has an answer", path)
			}
		}
	})
}

// A client that has sent all it has and closes its side is not told that all is
// well before the service has said so.
func TestHalfClosedClientGetsNoMadeUpAnswer(t *testing.T) {
	began := make(chan struct{})
	s := newStage(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	}), nil)
	w := s.raw(head(http.MethodGet, "/text/x"))
	<-began
	if err := w.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(w.in); err != nil || strings.Contains(string(text), " 200 ") {
		t.Errorf("answered %q, %v", text, err)
	}
}
