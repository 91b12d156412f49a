// Package feed is the server of the benchmarks: an HTTP server on the loopback interface with streams that
// are rendered in advance. Sending one takes a write to the socket for each chunk and allocates nothing, so
// that benchmarks measure the client.
package feed

import (
	"iter"
	"strconv"
)

// A Segment is a section of a stream in the form in which it is sent: as chunks of an HTTP/1.1 response
// body. Its bytes are outside Go's heap if the system allows that. On the heap, they would make the
// garbage collector run far less often than in a program with only the client.
type Segment struct {
	// Bytes is the size of the section, without what HTTP adds.
	Bytes int
	// Events is the number of events.
	Events int

	chunks [][]byte
	sizes  []int // of the chunks' bodies
	slabs  [][]byte
	free   []byte // of the latest slab
}

const slabSize = 16 << 20

// Render makes a segment of blocks, with flush blocks in each chunk. A busy server flushes from time to
// time, an idle one after each event.
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

// Len returns the number of chunks.
func (s *Segment) Len() int { return len(s.chunks) }

// Size returns the number of bytes of the stream in chunk i.
func (s *Segment) Size(i int) int { return s.sizes[i] }

// Free releases the memory. The segment must not be used afterwards.
func (s *Segment) Free() {
	for _, slab := range s.slabs {
		release(slab)
	}
	*s = Segment{}
}
