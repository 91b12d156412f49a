package autoconfigtest

import (
	"bytes"
	"net/http"
)

// Corrupt inverts all bits of the body's byte number n, counted from 0.
func Corrupt(n int64) Fault {
	return onBody(func(out body, _ *http.Request) body { return &corrupter{body: out, at: n} })
}

type corrupter struct {
	body
	at int64 // relative to the present position; negative once it is passed
}

func (c *corrupter) Write(b []byte) (int, error) {
	if 0 <= c.at && c.at < int64(len(b)) {
		b = bytes.Clone(b) // other connections share it
		b[c.at] = ^b[c.at]
	}
	c.at -= int64(len(b))
	return c.body.Write(b)
}

// Repeat sends the bytes [from, to) of the body twice in a row.
func Repeat(from, to int64) Fault {
	return onBody(func(out body, _ *http.Request) body { return &repeater{body: out, from: from, to: to} })
}

type repeater struct {
	body
	position, from, to int64
	block              []byte
}

func (p *repeater) Write(b []byte) (int, error) {
	start := min(max(p.from-p.position, 0), int64(len(b)))
	end := min(max(p.to-p.position, start), int64(len(b)))
	p.block = append(p.block, b[start:end]...)
	p.position += int64(len(b))
	if len(p.block) == 0 || int64(len(p.block)) < p.to-p.from {
		return p.body.Write(b)
	}
	again := p.block
	p.block = nil
	p.from, p.to = 0, 0
	return writeAll(p.body, len(b), b[:end], again, b[end:])
}

// Swap exchanges message number n of the body, counted from 0, with the one after it. A message ends
// with an empty line. The first is held back until the second is complete.
func Swap(n int) Fault {
	return onBody(func(out body, _ *http.Request) body { return &swapper{body: out, skip: n} })
}

type swapper struct {
	body
	skip   int    // messages before the two
	held   []byte // an incomplete message, or the two
	middle int    // where in held the second one starts; 0 while unknown
	done   bool
}

func (s *swapper) Write(b []byte) (int, error) {
	if s.done {
		return s.body.Write(b)
	}
	s.held = append(s.held, b...)
	for !s.done {
		i := bytes.Index(s.held[s.middle:], []byte("\n\n"))
		if i < 0 {
			return len(b), nil
		}
		if err := s.message(s.middle + i + 2); err != nil {
			return 0, err
		}
	}
	rest := s.held
	s.held = nil
	return writeAll(s.body, len(b), rest)
}

// message handles a complete message that ends before held[end].
func (s *swapper) message(end int) error {
	switch {
	case s.skip > 0:
		s.skip--
		_, err := s.body.Write(s.held[:end])
		s.held = s.held[end:]
		return err
	case s.middle == 0:
		s.middle = end
		return nil
	}
	s.done = true
	_, err := writeAll(s.body, 0, s.held[s.middle:end], s.held[:s.middle])
	s.held = s.held[end:]
	return err
}

// writeAll writes the parts and returns n, the number of bytes that its caller was asked to write.
func writeAll(out body, n int, parts ...[]byte) (int, error) {
	for _, part := range parts {
		if _, err := out.Write(part); err != nil {
			return 0, err
		}
	}
	return n, nil
}
