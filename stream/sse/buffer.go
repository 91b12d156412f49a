package sse

import (
	"bytes"
	"io"
)

const (
	// quietReads is how many short reads in a row make the buffer of a busy stream small again. Two or
	// three of them may just be the ends of chunks.
	quietReads = 8
	// little bounds a short read. While a stream is busy, a read gets more.
	little = smallBuffer / 2
	// smallBuffer is the buffer's first size. Thousands of quiet streams should cost little.
	smallBuffer = 4 << 10
	// busyBuffer is the size that the buffer grows to while reads are long. It also limits one read, so
	// that the subscriber does not wait for more than that.
	busyBuffer = 64 << 10
	// aheadBuffer is the size that the buffer grows to while the subscriber is behind, so that it always
	// finds events to take (BenchmarkConnect).
	aheadBuffer = 512 << 10
	// hugeBuffer is the largest buffer that outlives the event it was needed for. It does so only while
	// other events follow closely.
	hugeBuffer = 1 << 20
	// maxEmptyReads is how many reads in a row may return neither bytes nor an error.
	maxEmptyReads = 100
)

// A buffer holds what was read from a stream and is still needed:
//
//	       data:dataEnd               next:end
//	| free | data of the event | free | bytes not yet cut into lines | free |
//
// Lines are cut from the front of the second region. The value of a data line moves to the end of
// the first region, which cannot overtake the second because a field is longer than its value. Other
// than that, bytes move only in makeRoom, at most once for each time that the buffer fills, and no byte
// is searched twice. So the work is linear in the size of the stream, however it is cut and however
// many lines an event has.
type buffer struct {
	bytes         []byte
	data, dataEnd int
	next, end     int
	lineEnd       int  // where the last line ended
	taken         int  // how much of the line that is being read is in the data already; see takeLine
	lf, cr        int  // first LF and CR at or after next, end if there is none; outdated if before next
	afterCR       bool // the last line ended with CR, and an LF at next would belong to it
	busy          bool // a read since makeRoom was so long that the buffer should grow
	stretched     bool // the buffer grew for a large event, not for a busy stream
	quiet         int  // short reads in a row
	expected      int  // likely length of the next huge event
}

// nextLine returns the next line without its terminator, or false if there is no whole line.
// It does not wait for the byte after a CR.
func (b *buffer) nextLine() (line []byte, ok bool) {
	if b.afterCR && b.next < b.end {
		b.afterCR = false
		if b.bytes[b.next] == '\n' {
			b.next++
		}
	}
	if b.lf < b.next {
		b.lf = b.find('\n', b.next)
	}
	if b.cr < b.next {
		b.cr = b.find('\r', b.next)
	}
	stop := min(b.lf, b.cr)
	if stop == b.end {
		return nil, false
	}
	line = b.bytes[b.next:stop]
	b.afterCR = stop == b.cr
	b.lineEnd, b.next = stop, stop+1
	return line, true
}

// find returns the position of the first c at or after from, or end.
func (b *buffer) find(c byte, from int) int {
	if i := bytes.IndexByte(b.bytes[from:b.end], c); i >= 0 {
		return from + i
	}
	return b.end
}

// startData sets the event's data to the last n bytes of the line that was just cut.
func (b *buffer) startData(n int) {
	b.data, b.dataEnd = b.lineEnd-n, b.lineEnd
}

// addData appends LF and the last n bytes of the line that was just cut to the event's data.
func (b *buffer) addData(n int) {
	// The name of the field makes room for the LF. The region may be empty, but not behind the data that was taken.
	b.bytes[b.lineEnd-n-1] = '\n'
	b.continueData(n + 1)
}

// continueData appends the last n bytes of the line that was just cut to the event's data.
func (b *buffer) continueData(n int) {
	if b.dataLen() == 0 {
		b.startData(n)
		return
	}
	b.dataEnd += copy(b.bytes[b.dataEnd:], b.bytes[b.lineEnd-n:b.lineEnd])
}

// takeLine moves what has been read of a line to the event's data, if that is a data line, and reports whether it is.
// Then nextLine returns the rest of the line. joined says that the event has another line before it.
func (b *buffer) takeLine(joined bool) bool {
	unread := b.bytes[b.next:b.end]
	n := len(unread)
	if b.taken > 0 {
		joined = false // to what precedes, but not by LF
	} else {
		value, ok := bytes.CutPrefix(unread, []byte("data:"))
		if !ok || len(value) == 0 { // a space may follow, which does not count
			return false
		}
		n = len(bytes.TrimPrefix(value, []byte(" ")))
	}
	b.taken += len(unread)
	b.lineEnd, b.next = b.end, b.end
	if joined {
		b.addData(n)
	} else {
		b.continueData(n)
	}
	return true
}

// takeData returns the event's data. It is valid until makeRoom uses the same bytes.
func (b *buffer) takeData() []byte {
	data := b.bytes[b.data:b.dataEnd:b.dataEnd]
	b.data, b.dataEnd = 0, 0
	return data
}

func (b *buffer) dataLen() int   { return b.dataEnd - b.data }
func (b *buffer) unreadLen() int { return b.end - b.next }

// makeRoom makes room for a read, in dst if that has the right size. It is called when all whole lines have
// been cut, with at most limit bytes in the two regions together. dst is the buffer's own bytes, or other bytes
// while the subscriber is behind and still uses the events in the buffer's own.
func (b *buffer) makeRoom(limit int, dst []byte, behind bool) {
	b.moveTo(dst, b.newSize(limit, behind))
	b.busy = false
}

// hasRoom reports whether a read is worthwhile without moving anything.
func (b *buffer) hasRoom() bool { return !b.outgrown() && 4*(len(b.bytes)-b.end) > len(b.bytes) }

// outgrown reports whether the buffer is larger than its content needs. A read may wait for minutes and
// holds the buffer that it reads into. So after a large event, which most streams begin with, the buffer
// becomes small as soon as it is empty. A size that many small events filled may be needed again at once; it
// stays until some reads were short.
func (b *buffer) outgrown() bool {
	size, live := len(b.bytes), b.dataLen()+b.unreadLen()
	switch {
	case size > hugeBuffer:
		return live < busyBuffer
	case size > smallBuffer && b.stretched:
		return live == 0
	default:
		return size > smallBuffer && live == 0 && b.quiet >= quietReads
	}
}

// read reads once, to the end of the second region. Bytes count even if they come with an error.
func (b *buffer) read(r io.Reader) error {
	room := b.bytes[b.end:]
	room = room[:min(len(room), busyBuffer)]
	for range maxEmptyReads {
		n, err := r.Read(room)
		if n > 0 || err != nil {
			b.extend(n)
			b.busy = b.busy || n >= little && 4*n >= len(b.bytes)
			return err
		}
	}
	return io.ErrNoProgress
}

// extend adds the next n bytes to the second region.
func (b *buffer) extend(n int) {
	old := b.end
	b.end += n
	if n < little {
		b.quiet++
	} else {
		b.quiet = 0
	}
	if b.lf == old {
		b.lf = b.find('\n', old)
	}
	if b.cr == old {
		b.cr = b.find('\r', old)
	}
}

// newSize returns the size that the buffer should have.
func (b *buffer) newSize(limit int, behind bool) int {
	size, live := len(b.bytes), b.dataLen()+b.unreadLen()
	switch {
	case size == 0:
		return smallBuffer
	case live == size:
		grown := 2 * size
		if size >= hugeBuffer {
			// Growing copies everything, so a huge buffer grows by more than doubling. Huge events resemble
			// each other, because reconnecting brings the same state again: the length of the last one saves
			// the steps in between (BenchmarkScanHuge).
			grown = max(4*size, b.expected+b.expected/8)
		}
		b.stretched = grown > busyBuffer
		// A line of exactly the limit must still show its end. The limit may be the largest number there is.
		return min(grown-smallBuffer, limit) + smallBuffer
	case b.outgrown():
		b.stretched = false
		if live > 0 {
			return busyBuffer
		}
		return smallBuffer
	case b.busy && size < busyBuffer, behind && b.quiet == 0 && size < aheadBuffer:
		return 2 * size
	default:
		return size
	}
}

// moveTo moves both regions to the front of dst, or of a new buffer if dst does not have that size.
func (b *buffer) moveTo(dst []byte, size int) {
	if len(dst) != size {
		dst = make([]byte, size)
	}
	fresh, dataLen := len(b.bytes) == 0 || &dst[0] != &b.bytes[0], b.dataLen()
	if fresh || b.data > 0 {
		copy(dst, b.bytes[b.data:b.dataEnd])
	}
	shift := b.next - dataLen
	if fresh || shift > 0 {
		copy(dst[dataLen:], b.bytes[b.next:b.end])
	}
	b.bytes, b.data, b.dataEnd = dst, 0, dataLen
	b.next, b.end, b.lf, b.cr = b.next-shift, b.end-shift, b.lf-shift, b.cr-shift
}
