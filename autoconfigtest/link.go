package autoconfigtest

import (
	"context"
	"math/rand/v2"
	"net"
	"time"
)

// A Break is what a [Proxy] does to a connection after some number of bytes.
type Break int

const (
	// BreakNone leaves the connection alone. It is the default.
	BreakNone Break = iota
	// BreakCut closes the connection in both directions.
	BreakCut
	// BreakReset is BreakCut with a TCP reset towards the client. The reset may overtake bytes.
	BreakReset
	// BreakStall sends nothing more and keeps the connection open until the client leaves.
	BreakStall
	// BreakHalfClose closes only the direction to the client; the server notices nothing until the
	// client leaves. In front of a [NewPipeServer] it is BreakCut.
	BreakHalfClose
)

// String returns the name without the prefix Break.
func (b Break) String() string {
	return [...]string{"None", "Cut", "Reset", "Stall", "HalfClose"}[b]
}

// A Link says how a [Proxy] treats one network connection. The zero value passes everything on. What
// the client sends is always passed on.
type Link struct {
	// Delay is how long the first byte from the server is held back. The default is 0.
	Delay time.Duration
	// Rate is the largest number of bytes from the server that are passed on in a second, in steps
	// of a tenth of a second. The default, 0, is no limit.
	Rate int
	// Break happens when exactly At bytes from the server have been passed on. If At is 0, it
	// happens when the first byte arrives, which is not passed on.
	Break Break
	// At counts the bytes on the network since the connection was opened: HTTP header, framing and
	// TLS included.
	At int64
}

// RandomLink returns a link with the faults of a real network, which loses connections and is slow
// but doesn't change bytes: any break or none, mostly early, sometimes with a delay of up to 1 s or
// a rate of 256 bytes to 1 MiB a second. The same random numbers give the same link.
func RandomLink(rng *rand.Rand) Link {
	var link Link
	if link.Break = Break(rng.IntN(int(BreakHalfClose) + 1)); link.Break != BreakNone {
		// Below 64 KiB, and half of the time within the first KiB.
		link.At = rng.Int64N(1 << (4 + rng.IntN(13)))
	}
	if rng.IntN(4) == 0 {
		link.Delay = time.Duration(rng.Int64N(int64(time.Second)))
	}
	if rng.IntN(4) == 0 {
		link.Rate = 256 << rng.IntN(13)
	}
	return link
}

// pass copies from the server to the client until one of them, the link or ctx ends that. The caller
// then closes the connection.
func (l Link) pass(ctx context.Context, client, server net.Conn) {
	p := pacer{ctx: ctx, client: client, delay: l.Delay, rate: l.Rate}
	left := l.At
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		b := buffer[:n]
		broken := false
		if l.Break != BreakNone && n > 0 && int64(n) >= left {
			b, broken = b[:left], true
		}
		left -= int64(len(b))
		if p.write(b) != nil {
			return
		}
		if broken {
			l.Break.apply(ctx, client)
			return
		}
		if err != nil {
			return
		}
	}
}

func (b Break) apply(ctx context.Context, client net.Conn) {
	switch b {
	case BreakReset:
		closeConn(client, true)
	case BreakStall:
		<-ctx.Done()
	case BreakHalfClose:
		if tcp, ok := client.(*net.TCPConn); ok && tcp.CloseWrite() == nil {
			<-ctx.Done()
		}
	}
}

// A pacer writes to the client with the delay and rate of a link.
type pacer struct {
	ctx    context.Context
	client net.Conn
	delay  time.Duration
	rate   int
}

func (p *pacer) write(b []byte) error {
	if p.delay > 0 && len(b) > 0 {
		if err := sleep(p.ctx, p.delay); err != nil {
			return err
		}
		p.delay = 0
	}
	for len(b) > 0 {
		step := len(b)
		if p.rate > 0 {
			step = min(step, max(1, p.rate/10))
		}
		if _, err := p.client.Write(b[:step]); err != nil {
			return err
		}
		b = b[step:]
		if p.rate > 0 {
			// After the write, so that the rate holds across writes.
			if err := sleep(p.ctx, time.Duration(step)*time.Second/time.Duration(p.rate)); err != nil {
				return err
			}
		}
	}
	return nil
}
