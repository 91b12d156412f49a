// Package feed is the server's side of the benchmarks: an HTTP server on the loopback interface whose
// streams were rendered beforehand. Sending one costs a write to the socket for each chunk, and
// allocates nothing, so that what is measured is the client.
package feed

import (
	"iter"
	"strconv"
)

// A Segment is a part of a stream in the form that goes over the socket: chunks of an HTTP/1.1
// response body. Its bytes lie outside Go's heap where the system allows it; they would otherwise
// let the client's garbage collector run far less often than it does in a program of its own.
type Segment struct {
	// Bytes is the size of the stream in it, without what HTTP adds.
	Bytes int
	// Events is the number of blocks.
	Events int

	chunks [][]byte
	sizes  []int // of the chunks' bodies
	slabs  [][]byte
	free   []byte // of the latest slab
}

const slabSize = 16 << 20

// Render makes a segment of blocks. A chunk holds as many blocks as flush says: a busy server
// flushes now and then, an idle one after each event.
func Render(flush int, blocks iter.Seq[[]byte]) (*Segment, error) {
	s := &Segment{}
	var pending []byte
	count := 0
	for block := range blocks {
		pending = append(pending, block...)
		count++
		if count == flush {
			if err := s.add(pending, count); err != nil {
				s.Free()
				return nil, err
			}
			pending, count = pending[:0], 0
		}
	}
	if err := s.add(pending, count); err != nil {
		s.Free()
		return nil, err
	}
	return s, nil
}

func (s *Segment) add(body []byte, events int) error {
	if len(body) == 0 {
		return nil // an empty chunk would end the response
	}
	var header [18]byte
	size := append(strconv.AppendInt(header[:0], int64(len(body)), 16), "\r\n"...)
	n := len(size) + len(body) + len("\r\n")
	if n > len(s.free) {
		slab, err := allocate(max(slabSize, n))
		if err != nil {
			return err
		}
		s.slabs = append(s.slabs, slab)
		s.free = slab
	}
	chunk := append(append(append(s.free[:0:n], size...), body...), "\r\n"...)
	s.free = s.free[n:]
	s.chunks = append(s.chunks, chunk)
	s.sizes = append(s.sizes, len(body))
	s.Bytes += len(body)
	s.Events += events
	return nil
}

// Len is the number of chunks.
func (s *Segment) Len() int { return len(s.chunks) }

// Size is how many bytes of the stream chunk i has.
func (s *Segment) Size(i int) int { return s.sizes[i] }

// Free gives the memory back. The segment must not be used afterwards.
func (s *Segment) Free() {
	for _, slab := range s.slabs {
		release(slab)
	}
	*s = Segment{}
}
