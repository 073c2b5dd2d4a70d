package gateway

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twinkey/twinkey/internal/http1"
)

// body is what a call carries, as far as it has come with its head.
type body struct {
	have   []byte // of the content; in the connection's buffer
	left   int64  // bytes still to come, unless in chunks
	chunks *http1.Chunks
	whole  bool
}

// begin takes what has come of the call's body.
func (r *road) begin() error {
	r.body = body{}
	held := r.in[r.from:r.to]
	if r.request.Length != http1.Chunked {
		n := min(r.request.Length, int64(len(held)))
		r.body.have, r.body.left = held[:n], r.request.Length-n
		r.body.whole = r.body.left == 0
		r.take(int(n))
		return nil
	}
	r.body.chunks = &http1.Chunks{}
	n, used, done, err := r.body.chunks.Decode(held)
	r.body.have, r.body.whole = held[:n], done
	r.take(used)
	return err
}

// append writes what has come, as it goes to the upstream. Chunks are cut anew,
// and what else came between and after them stays here.
func (b *body) append(to []byte) []byte {
	if b.chunks == nil {
		return append(to, b.have...)
	}
	if len(b.have) > 0 {
		to = append(strconv.AppendInt(to, int64(len(b.have)), 16), "\r\n"...)
		to = append(append(to, b.have...), "\r\n"...)
	}
	if b.whole {
		to = append(to, lastChunk...)
	}
	return to
}

const lastChunk = "0\r\n\r\n"

// chunkRoom is what a chunk's size needs in front of it, and its end behind it.
const chunkRoom = 10

// frameChunk frames n bytes at b[chunkRoom:] as a chunk in place, and returns
// where it begins and ends in b, which needs two bytes of room behind them.
func frameChunk(b []byte, n int) (from, to int) {
	var size [chunkRoom]byte
	digits := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
	from, to = chunkRoom-len(digits), chunkRoom+n
	copy(b[from:], digits)
	return from, to + copy(b[to:], "\r\n")
}

// reader reads from the client while a call is under way: the rest of the call's
// body, which it takes to the upstream, and then whatever comes, to notice when
// the client goes away.
type reader struct {
	done     chan struct{}
	uploaded atomic.Bool // there is no more body
	stop     atomic.Bool // there is no need to watch
	gone     bool        // the client has; to be read when done
	broken   bool        // the body made no sense; to be read when done
}

// startReader starts one, if there is none. Until stopReader, the input is its.
func (r *road) startReader() {
	if r.reader != nil {
		return
	}
	r.reader = &reader{done: make(chan struct{})}
	r.reader.uploaded.Store(r.body.whole)
	r.deadline = time.Time{}
	_ = r.conn.SetReadDeadline(r.deadline)
	go r.read(r.reader, r.upstream)
}

// stopReader ends the reader. An upload may go on for a moment if the answer is
// complete: mostly its end is on the way.
func (r *road) stopReader(answered bool) (gone, broken bool) {
	rd := r.reader
	if rd == nil {
		return false, false
	}
	rd.stop.Store(true)
	deadline := longAgo
	if answered && !rd.uploaded.Load() {
		deadline = time.Now().Add(farewell)
	}
	_ = r.conn.SetReadDeadline(deadline)
	_ = r.upstream.SetWriteDeadline(deadline)
	<-rd.done
	r.deadline = time.Time{}
	_ = r.conn.SetReadDeadline(r.deadline)
	_ = r.upstream.SetWriteDeadline(r.deadline)
	r.body.whole = rd.uploaded.Load()
	r.reader = nil
	return rd.gone, rd.broken
}

func (r *road) read(rd *reader, up *http1.Conn) {
	defer close(rd.done)
	if !rd.uploaded.Load() {
		err := r.upload(up)
		switch rd.broken = errors.Is(err, http1.ErrForm); {
		case rd.broken, errors.Is(err, errGone):
			rd.gone = !rd.broken
			sever(up.Conn)
			return
		case err != nil:
			return // stopped, or the upstream takes no more: its answer will say why
		}
		rd.uploaded.Store(true)
	}
	if r.from == r.to {
		r.from, r.to = 0, 0
	}
	for !rd.stop.Load() && r.to < len(r.in) {
		n, err := r.conn.Read(r.in[r.to:])
		r.to += n
		if err != nil {
			if rd.gone = !errors.Is(err, os.ErrDeadlineExceeded); rd.gone {
				sever(up.Conn)
			}
			return
		}
	}
}

// errGone says that a client went away before its call was complete.
var errGone = errors.New("the client has gone")

// upload takes the rest of the call's body to the upstream, as it comes.
func (r *road) upload(up *http1.Conn) error {
	out := outputs.Get().(*[outputSize]byte)
	defer outputs.Put(out)
	for {
		into := out[chunkRoom : outputSize-chunkRoom]
		if r.body.chunks == nil && r.body.left < int64(len(into)) {
			into = into[:r.body.left]
		}
		n, err := r.conn.Read(into)
		if err != nil && n == 0 {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return err
			}
			return errGone
		}
		done, err := r.pass(up, out, n)
		if done || err != nil {
			return err
		}
	}
}

// pass sends n bytes that have been read behind the room for a chunk's size.
func (r *road) pass(up io.Writer, out *[outputSize]byte, n int) (done bool, err error) {
	if r.body.chunks == nil {
		r.body.left -= int64(n)
		_, err = up.Write(out[chunkRoom : chunkRoom+n])
		return r.body.left == 0, err
	}
	data, used, done, err := r.body.chunks.Decode(out[chunkRoom : chunkRoom+n])
	if err != nil {
		return false, err
	}
	if done { // what comes behind is the next call's
		r.in = append(r.in[:0:0], out[chunkRoom+used:chunkRoom+n]...)
		r.from, r.to = 0, len(r.in)
		r.in = append(r.in, make([]byte, inputSize)...)
	}
	from, to := chunkRoom, chunkRoom
	if data > 0 {
		from, to = frameChunk(out[:], data)
	}
	if done {
		to += copy(out[to:], lastChunk)
	}
	_, err = up.Write(out[from:to])
	return done, err
}
