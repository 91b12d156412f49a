package sse

import (
	"bytes"
	"io"
)

const (
	// quietReads is how many reads in a row must have got little until the buffer of a busy stream becomes
	// small again. Two or three of them may be the ends of chunks.
	quietReads = 8
	// little is less than what a read gets while a stream is busy.
	little = smallBuffer / 2
	// smallBuffer is the buffer's first size: thousands of quiet streams should cost little.
	smallBuffer = 4 << 10
	// busyBuffer is what the buffer grows to while reads get much, so as to read much at a time, and the most
	// that a read asks for, so that those who use its events need not wait for more.
	busyBuffer = 64 << 10
	// aheadBuffer is what it grows to if there is somebody who falls behind meanwhile, so that they always
	// find something: with busyBuffer a patch takes 1.03 µs from end to end instead of 0.8, because two
	// processors have the server, the handler and the garbage to look after, too.
	aheadBuffer = 512 << 10
	// hugeBuffer is the largest buffer that outlives the event it was needed for, and that only while other
	// events follow so closely that something of them is always in it.
	hugeBuffer = 1 << 20
	// maxEmptyReads is how many reads in a row may give neither bytes nor an error.
	maxEmptyReads = 100
)

// A buffer holds what was read from a stream and is still needed:
//
//	       data:dataEnd               next:end
//	| free | data of the event | free | bytes not yet cut into lines | free |
//
// Lines are cut from the front of the second region. The value of a data line is moved up behind
// the first region, which cannot overtake the second because a field is longer than its value.
// Otherwise bytes move only in makeRoom, where neither region moves again once it stands in its
// place, and in growing by doubling; and no byte is searched twice. So the work is linear in the
// size of the stream, however it is cut and however many lines an event has.
type buffer struct {
	bytes         []byte
	data, dataEnd int
	next, end     int
	lineEnd       int  // where the last line ended
	lf, cr        int  // first LF and CR at or after next, end if there is none; outdated if before next
	afterCR       bool // a CR ended the last line, so that an LF at next belongs to that CR
	busy          bool // since room was made, a read got so much that the buffer should grow
	stretched     bool // an event that did not fit made the buffer larger than a busy stream does
	quiet         int  // reads in a row that got little
	expected      int  // how long the next huge event is likely to be
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

// startData makes the last n bytes of the line that was just cut the event's data.
func (b *buffer) startData(n int) {
	b.data, b.dataEnd = b.lineEnd-n, b.lineEnd
}

// addData appends LF and the last n bytes of the line that was just cut to the event's data.
func (b *buffer) addData(n int) {
	b.bytes[b.dataEnd] = '\n'
	b.dataEnd++
	b.dataEnd += copy(b.bytes[b.dataEnd:], b.bytes[b.lineEnd-n:b.lineEnd])
}

// takeData returns the event's data, which stays intact until room is made in the same bytes.
func (b *buffer) takeData() []byte {
	data := b.bytes[b.data:b.dataEnd:b.dataEnd]
	b.data, b.dataEnd = 0, 0
	return data
}

func (b *buffer) dataLen() int   { return b.dataEnd - b.data }
func (b *buffer) unreadLen() int { return b.end - b.next }

// makeRoom makes room for a read, in dst if that has the right size. It is called when all whole lines have
// been cut, with no more than limit bytes in the two regions together. dst is the buffer's own bytes, or
// others if the events that were cut are still in use: somebody is behind then.
func (b *buffer) makeRoom(limit int, dst []byte, behind bool) {
	b.moveTo(dst, b.newSize(limit, behind))
	b.busy = false
}

// hasRoom reports whether it is worth while to read without moving anything.
func (b *buffer) hasRoom() bool { return !b.outgrown() && 4*(len(b.bytes)-b.end) > len(b.bytes) }

// outgrown reports whether the buffer is only so large for the sake of what is not in it any more. A read may
// wait for minutes, and holds the buffer that it reads into: so after a large event, and most streams
// begin with one, the buffer becomes small as soon as nothing is left in it. A size that many small events
// filled may be needed again at once, and stays until some reads were quiet.
func (b *buffer) outgrown() bool {
	size, live := len(b.bytes), b.dataLen()+b.unreadLen()
	switch {
	case size > hugeBuffer:
		return live < busyBuffer
	case size > busyBuffer && b.stretched:
		return live == 0
	default:
		return size > smallBuffer && live == 0 && b.quiet >= quietReads
	}
}

// read reads once, behind the second region; bytes that it got count even with an error.
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

// extend adds the n bytes behind the second region to it.
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

// newSize returns the size that the buffer should have now.
func (b *buffer) newSize(limit int, behind bool) int {
	size, live := len(b.bytes), b.dataLen()+b.unreadLen()
	switch {
	case size == 0:
		return smallBuffer
	case live == size:
		grown := 2 * size
		if size >= hugeBuffer {
			// Each time that the buffer grows all of it is copied: with doubling a first put of 100,000
			// environments takes 2.3 µs for each of them instead of 1.5. Huge events resemble each other,
			// too: reconnecting brings the same configuration again. To grow at once takes a third off the
			// time of 30 MiB and 40 % off the memory (BenchmarkScanHuge).
			grown = max(4*size, b.expected+b.expected/8)
		}
		b.stretched = grown > busyBuffer
		// Past the limit only so much that a line of just the limit can show its end.
		return min(grown, limit+smallBuffer)
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

// moveTo moves both regions to the front of dst, or of a new buffer if dst has not the size.
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
