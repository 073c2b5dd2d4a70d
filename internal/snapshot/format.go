package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/twinkey/twinkey"
)

// The file, whose size never changes once it has its name:
//
//	header  one sector: what follows, and a checksum
//	base    records of accounts, each behind its length and checksum, padded to a sector
//	log     sectors, zero until they are written; a change takes one or more
//
// Every checksum starts from the file's random seed and the place it belongs to,
// so that nothing from another file or place passes.
//
// Each sector of the log can be judged by itself, which tells a write that a
// power cut has left unfinished - some of its sectors are as they should be, the
// others still zero - from bytes that have changed since: the first was never
// acknowledged and is dropped, after the second nothing in the file counts.
const (
	sectorSize = 512
	magic      = "twinkey gateway snapshot"
	version    = 1

	minLog   = 4 << 20  // bytes; the log is as large as the base, within these limits
	maxLog   = 32 << 20 // 65 536 small changes, which are held in memory while the file is read
	maxBatch = 64 << 10 // a base record ends with the account that reaches this many bytes
	maxBase  = 16 << 20 // bytes a base record may have at most
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errInvalid says that a file cannot be trusted.
var errInvalid = errors.New("the snapshot is damaged")

// header describes a file.
type header struct {
	seed     uint32
	revision twinkey.Revision // of the base
	accounts int64            // in the base
	base     int64            // bytes of the base, padding included
	log      int64            // bytes of the log
}

func (h header) logAt() int64 { return sectorSize + h.base }
func (h header) size() int64  { return h.logAt() + h.log }

func (h header) encode() []byte {
	b := make([]byte, 0, sectorSize)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, h.seed)
	for _, n := range []int64{int64(h.revision), h.accounts, h.base, h.log} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, make([]byte, sectorSize-4-len(b))...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeHeader reads the first sector of a file of a size.
func decodeHeader(b []byte, size int64) (header, error) {
	if len(b) != sectorSize || string(b[:len(magic)]) != magic || crc32.Checksum(b[:sectorSize-4], castagnoli) != binary.LittleEndian.Uint32(b[sectorSize-4:]) {
		return header{}, errInvalid
	}
	b = b[len(magic):]
	if v := binary.LittleEndian.Uint32(b); v != version {
		return header{}, fmt.Errorf("the snapshot has format %d, and this version knows %d", v, version)
	}
	number := func(at int) int64 { return int64(binary.LittleEndian.Uint64(b[at:])) }
	h := header{seed: binary.LittleEndian.Uint32(b[4:]), revision: twinkey.Revision(number(8)), accounts: number(16), base: number(24), log: number(32)}
	if h.base < 0 || h.base%sectorSize != 0 || h.log < minLog || h.log > maxLog || h.log%sectorSize != 0 || h.size() != size {
		return header{}, errInvalid
	}
	return h, nil
}

// sum is the checksum of what is at a place of a file.
func (h header) sum(place int64, data []byte) uint32 {
	at := binary.LittleEndian.AppendUint64(nil, uint64(place))
	return crc32.Update(crc32.Update(h.seed, castagnoli, at), castagnoli, data)
}

// A sector of the log: checksum, where in the log its record begins and how many
// sectors that has, how many bytes of this one it uses, and those.
const (
	sectorHead = 16
	sectorRoom = sectorSize - sectorHead
)

// sectors lays a record out for a place in the log, in sectors from its start.
func (h header) sectors(start int64, record []byte) []byte {
	count := (len(record) + sectorRoom - 1) / sectorRoom
	b := make([]byte, count*sectorSize)
	for i := range count {
		s := b[i*sectorSize : (i+1)*sectorSize]
		n := copy(s[sectorHead:], record)
		record = record[n:]
		binary.LittleEndian.PutUint32(s[4:], uint32(start))
		binary.LittleEndian.PutUint32(s[8:], uint32(count))
		binary.LittleEndian.PutUint32(s[12:], uint32(n))
		binary.LittleEndian.PutUint32(s, h.sum(h.logAt()+(start+int64(i))*sectorSize, s[4:]))
	}
	return b
}

// sector is one of the log, read.
type sector struct {
	start, count int64
	payload      []byte
}

// decodeSector reads the sector at a place of the log; zero means that it has
// never been written.
func (h header) decodeSector(at int64, b []byte) (s sector, zero bool, err error) {
	if isZero(b) {
		return sector{}, true, nil
	}
	s = sector{start: int64(binary.LittleEndian.Uint32(b[4:])), count: int64(binary.LittleEndian.Uint32(b[8:]))}
	used := binary.LittleEndian.Uint32(b[12:])
	if h.sum(h.logAt()+at*sectorSize, b[4:]) != binary.LittleEndian.Uint32(b) || used > sectorRoom || at < s.start || at >= s.start+s.count {
		return sector{}, false, errInvalid
	}
	s.payload = b[sectorHead : sectorHead+used]
	return s, false, nil
}

func isZero(b []byte) bool { return bytes.Count(b, []byte{0}) == len(b) }
