package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/twinkey/twinkey/internal/http1"
)

// refuse answers instead of the upstream.
func (r *road) refuse(f *Refusal) (again bool) {
	fields := [2]http1.Field{{Name: "Content-Type", Value: "application/json"}, {Name: f.header[0], Value: f.header[1]}}
	used := 2
	if f.header[0] == "" {
		used = 1
	}
	return r.reply(f.Status, fields[:used], f.Body)
}

// reply answers with a text. If not all of the call has come, the connection
// ends.
func (r *road) reply(status int, fields []http1.Field, text string) (again bool) {
	last := r.last() || !r.body.whole && !r.short()
	b := append(strconv.AppendInt([]byte("HTTP/1.1 "), int64(status), 10), ' ')
	b = append(append(b, http.StatusText(status)...), "\r\n"...)
	for _, f := range fields {
		b = appendField(b, f.Name, f.Value)
	}
	b = r.appendDate(b)
	b = append(strconv.AppendInt(append(b, "Content-Length: "...), int64(len(text)), 10), "\r\n"...)
	b = appendEnd(b, last)
	if r.request.Method != http.MethodHead {
		b = append(b, text...)
	}
	switch _, err := r.conn.Write(b); {
	case err != nil:
		return false
	case r.body.whole:
		return !last
	case last:
		r.linger()
		return false
	}
	return r.discard()
}

// short reports whether so little of the call is still to come that it costs less
// to read it than to end the connection.
func (r *road) short() bool { return r.body.chunks == nil && r.body.left <= maxUnread }

// discard reads the rest of a call that nobody wants.
func (r *road) discard() bool {
	r.readWithin(headTime)
	_, err := io.CopyN(io.Discard, r.conn, r.body.left)
	return err == nil
}

// last reports whether this call is the connection's last.
func (r *road) last() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.request.Close || r.leaving || r.cut
}

// relay passes the answer on, as it comes.
func (r *road) relay(x *exchange) (again bool) {
	last := r.last()
	err := r.relayBody(r.appendAnswer(r.out[:0], x, last))
	gone, _ := r.stopReader(err == nil)
	if err != nil || gone {
		return false
	}
	r.release(!r.answer.Close && r.body.whole)
	if !r.body.whole {
		r.linger()
	}
	return !last && r.body.whole
}

// relayBody writes the head and everything that comes behind it.
func (r *road) relayBody(head []byte) error {
	if r.reader != nil {
		_ = r.upstream.SetReadDeadline(time.Time{}) // it may take as long as it likes now
	}
	switch n := r.answer.Length; {
	case n == http1.Chunked:
		return r.relayChunks(head)
	case n == http1.UntilClose:
		return r.relayRest(head)
	default:
		return r.relayLength(head, n)
	}
}

func (r *road) relayLength(b []byte, left int64) error {
	held := r.upstream.Held()
	held = held[:min(int64(len(held)), left)]
	b = append(b, held...)
	left -= int64(len(held))
	r.upstream.Take(len(held))
	for {
		if _, err := r.conn.Write(b); err != nil || left == 0 {
			return err
		}
		n, err := r.more(r.out[:min(left, outputSize)])
		if err != nil {
			return err // the length that was promised shows the client that something is missing
		}
		b, left = r.out[:n], left-int64(n)
	}
}

// relayRest passes on an answer that ends with its connection, in chunks, so that
// the client's can go on.
func (r *road) relayRest(head []byte) error {
	held := r.upstream.Held()
	if len(held) > 0 {
		head = append(strconv.AppendInt(head, int64(len(held)), 16), "\r\n"...)
		head = append(append(head, held...), "\r\n"...)
	}
	if _, err := r.conn.Write(head); err != nil {
		return err
	}
	for {
		n, err := r.more(r.out[chunkRoom : outputSize-chunkRoom])
		if errors.Is(err, io.EOF) {
			_, err = r.conn.Write([]byte(lastChunk))
			return err
		}
		if err != nil {
			return err
		}
		from, to := frameChunk(r.out[:], n)
		if _, err := r.conn.Write(r.out[from:to]); err != nil {
			return err
		}
	}
}

// relayChunks passes on an answer in chunks, which are cut as they come.
func (r *road) relayChunks(head []byte) error {
	var chunks http1.Chunks
	held := r.upstream.Held()
	n, used, done, err := chunks.Decode(held)
	if n > 0 {
		head = append(strconv.AppendInt(head, int64(n), 16), "\r\n"...)
		head = append(append(head, held[:n]...), "\r\n"...)
	}
	r.upstream.Take(used)
	for b := head; ; {
		if err != nil {
			return err
		}
		if done {
			b = appendTrailer(b, chunks.Trailer())
		}
		if len(b) > 0 {
			if _, err := r.conn.Write(b); err != nil || done {
				return err
			}
		}
		read, more := r.more(r.out[chunkRoom : outputSize-chunkRoom])
		if more != nil {
			return more
		}
		n, used, done, err = chunks.Decode(r.out[chunkRoom : chunkRoom+read])
		r.answer.Close = r.answer.Close || used < read // it said more than the answer
		b = nil
		if n > 0 {
			from, to := frameChunk(r.out[:], n)
			b = r.out[from:to]
		}
	}
}

// more reads from the upstream. When nothing comes for a while, the client is
// watched from then on.
func (r *road) more(b []byte) (int, error) {
	for {
		n, err := r.upstream.Read(b)
		if n > 0 {
			return n, nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || r.reader != nil {
			return 0, err
		}
		r.startReader()
		if err := r.upstream.SetReadDeadline(time.Time{}); err != nil {
			return 0, err
		}
	}
}

// appendAnswer writes the head of the answer for the client.
func (r *road) appendAnswer(b []byte, x *exchange, last bool) []byte {
	a, rules := &r.answer, x.admission.Route.CORS
	b = r.appendStatus(b)
	origin := ""
	if v := r.values("Origin"); len(v) > 0 {
		origin = v[0]
	}
	own := originHeaders(origin, rules)
	dated := false
	for i := range a.Fields {
		f := &a.Fields[i]
		switch {
		case f.Is("Date"):
			dated = true
		case origin != "" && rules != nil && f.Is(originAllowed), len(own) > 0 && f.Is(originExposed):
			continue
		case isPointer(f.Name):
			b = appendField(b, f.Name, x.readdress(f.Value))
			continue
		}
		b = appendField(b, f.Name, f.Value)
	}
	for _, f := range own {
		b = appendField(b, f.Name, f.Value)
	}
	if !dated {
		b = r.appendDate(b)
	}
	if a.Length < 0 {
		b = appendField(b, "Transfer-Encoding", "chunked")
	}
	return appendEnd(b, last)
}

// appendInterim writes an answer before the final one.
func (r *road) appendInterim(b []byte) []byte {
	b = r.appendStatus(b)
	for _, f := range r.answer.Fields {
		b = appendField(b, f.Name, f.Value)
	}
	return append(b, "\r\n"...)
}

func (r *road) appendStatus(b []byte) []byte {
	b = append(strconv.AppendInt(append(b, "HTTP/1.1 "...), int64(r.answer.Status), 10), ' ')
	return append(append(b, r.answer.Reason...), "\r\n"...)
}

// appendTrailer ends a body in chunks with the trailer it came with.
func appendTrailer(b []byte, trailer []http1.Field) []byte {
	b = append(b, "0\r\n"...)
	for _, f := range trailer {
		b = appendField(b, f.Name, f.Value)
	}
	return append(b, "\r\n"...)
}

func appendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}

// appendDate writes when the answer was made (RFC 9110, section 6.6.1).
func (r *road) appendDate(b []byte) []byte {
	if now := time.Now(); now.Unix() != r.second {
		r.second = now.Unix()
		r.date = now.UTC().Format("Date: " + http.TimeFormat + "\r\n")
	}
	return append(b, r.date...)
}

func appendEnd(b []byte, last bool) []byte {
	if last {
		b = append(b, "Connection: close\r\n"...)
	}
	return append(b, "\r\n"...)
}
