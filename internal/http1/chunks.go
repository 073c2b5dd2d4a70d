package http1

// maxLine bounds a chunk's line and the trailer, in bytes.
const maxLine = 8 << 10

// Chunks takes the chunked coding off a body as it comes (RFC 9112, section
// 7.1). The zero value stands at the beginning of a body.
type Chunks struct {
	state   chunkState
	left    int64  // of the chunk's data
	digits  int    // of its size
	line    int    // bytes of the line so far
	lines   []byte // of the trailer
	trailer []Field
}

type chunkState uint8

const (
	inSize chunkState = iota
	inBlanks
	inExtension
	afterSize // CR has come
	inData
	afterData
	afterDataCR
	atTrailer // at the beginning of a line
	inTrailer
	afterTrailer // CR has come after a trailer's line
	atEnd        // CR has come on the empty line
	ended
)

// Decode takes the coding off b in place: the data moves to the front. It returns
// how many bytes of data that are, how many bytes of b belong to the body - all,
// unless it has ended -, and whether it has. After ErrForm the body is lost.
func (c *Chunks) Decode(b []byte) (data, used int, done bool, err error) {
	for used < len(b) {
		if c.state == inData {
			n := int(min(c.left, int64(len(b)-used)))
			copy(b[data:], b[used:used+n])
			data, used, c.left = data+n, used+n, c.left-int64(n)
			if c.left == 0 {
				c.state = afterData
			}
			continue
		}
		if !c.step(b[used]) {
			return data, used, false, ErrForm
		}
		used++
		if c.state == ended {
			return data, used, true, nil
		}
	}
	return data, used, false, nil
}

// Trailer is the fields after the last chunk, once the body has ended.
func (c *Chunks) Trailer() []Field { return c.trailer }

// finish reads the trailer.
func (c *Chunks) finish() bool {
	c.state = ended
	for s := string(c.lines); s != ""; {
		f, rest, ok := readField(s, false)
		if !ok {
			return false
		}
		c.trailer, s = append(c.trailer, f), rest
	}
	return true
}

// step takes one byte that is not data.
func (c *Chunks) step(b byte) bool {
	switch c.state {
	case inSize, inBlanks:
		return c.size(b)
	case inExtension:
		if c.line++; b == '\r' {
			c.state = afterSize
			return true
		}
		return text[b] && c.line < maxLine
	case afterSize:
		c.state, c.digits, c.line = inData, 0, 0
		if c.left == 0 {
			c.state = atTrailer
		}
		return b == '\n'
	case afterData:
		c.state = afterDataCR
		return b == '\r'
	case afterDataCR:
		c.state = inSize
		return b == '\n'
	case atEnd:
		return b == '\n' && c.finish()
	}
	return c.trailing(b)
}

// size takes a byte of a chunk's size, or of the blanks that some put behind it.
func (c *Chunks) size(b byte) bool {
	c.line++
	switch {
	case isHex(b) && c.state == inSize:
		c.digits++
		c.left = c.left<<4 | int64(unhex(b))
		return c.digits <= 15
	case c.digits == 0:
		return false
	case b == '\r':
		c.state = afterSize
	case b == ';':
		c.state = inExtension
	case b == ' ' || b == '\t':
		c.state = inBlanks
	default:
		return false
	}
	return c.line < maxLine
}

// trailing gathers the trailer.
func (c *Chunks) trailing(b byte) bool {
	switch c.state {
	case atTrailer:
		if b == '\r' {
			c.state = atEnd
			return true
		}
		c.state = inTrailer
	case inTrailer:
		if b == '\r' {
			c.state = afterTrailer
		}
	case afterTrailer:
		if b != '\n' {
			return false
		}
		c.state = atTrailer
	}
	c.lines = append(c.lines, b)
	return len(c.lines) < maxLine
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0x0f + 9
}
