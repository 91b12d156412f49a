package autoconfigtest

import (
	"context"
	"math/rand/v2"
	"net"
	"time"
)

// A Break is what becomes of a connection of a [Proxy] at some byte.
type Break int

// The breaks that there are. BreakNone lets the connection live.
const (
	BreakNone Break = iota
	// BreakCut closes the connection in both directions.
	BreakCut
	// BreakReset is BreakCut with a TCP reset towards the client. It may overtake bytes.
	BreakReset
	// BreakStall falls silent, and keeps the connection open until the client leaves.
	BreakStall
	// BreakHalfClose closes only the direction to the client; the server notices nothing until the
	// client leaves. In memory, where there is no such thing, it is BreakCut.
	BreakHalfClose
)

// String returns the name without the prefix Break.
func (b Break) String() string {
	return [...]string{"None", "Cut", "Reset", "Stall", "HalfClose"}[b]
}

// A Link says how a [Proxy] treats one network connection. The zero value passes everything. What
// the client sends is always passed on.
type Link struct {
	// Delay passes before the first byte from the server is passed on. The default is 0.
	Delay time.Duration
	// Rate is how many bytes from the server are passed on in a second, at most, in steps of a
	// tenth of a second. The default, 0, has no limit.
	Rate int
	// Break happens as soon as exactly At bytes from the server have been passed on, or, where At
	// is 0, as soon as there is one that could be. The bytes are those on the network, with the
	// HTTP header, framing and TLS if any, from the beginning of the connection.
	Break Break
	// At is the number of bytes for Break.
	At int64
}

// RandomLink returns a link with the faults of a real network, which loses connections and is slow
// but doesn't change bytes: any break or none, mostly early, sometimes with a delay of up to 1 s or
// a rate from 256 bytes to 1 MiB a second. The same numbers from rng give the same link.
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

// pass copies from the server to the client until one of them, the link or ctx ends it. When it
// returns, the connection is to be closed.
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

// A pacer writes to the client with a link's delay and rate.
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
			// After the bytes, so that the pace holds across writes.
			if err := sleep(p.ctx, time.Duration(step)*time.Second/time.Duration(p.rate)); err != nil {
				return err
			}
		}
	}
	return nil
}
