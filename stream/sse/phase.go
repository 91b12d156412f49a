package sse

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// A phaseTimer calls expired if one phase of connecting takes too long. It hears of the phases
// from net/http, so that it works with any client; with a RoundTripper that does not report
// them, everything up to the response's header is one phase.
//
// A RoundTripper may dial again by itself, without limit: net/http does so when an HTTP/2 server sends
// GOAWAY. The phases of such a dial do not restart the timer.
type phaseTimer struct {
	limit time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	left    [phases]int // restarts, until the next hop
}

type phase int

const (
	dialing phase = iota
	handshaking
	waiting // for the response
	phases
)

func startPhaseTimer(limit time.Duration, expired func()) *phaseTimer {
	p := &phaseTimer{limit: limit, timer: time.AfterFunc(limit, expired)}
	p.hop()
	return p
}

// hop allows a redirect the same phases as the first request.
func (p *phaseTimer) hop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = [phases]int{dialing: 1, handshaking: 2, waiting: 1} // with a proxy there are two handshakes
}

// restart begins a phase, unless the hop has had enough of this kind. It returns by how many it has too many.
func (p *phaseTimer) restart(kind phase) (excess int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left[kind]--
	// A pooling transport may still be dialling for a request that got another connection.
	if p.left[kind] >= 0 && !p.stopped {
		p.timer.Reset(p.limit)
	}
	return max(0, -p.left[kind])
}

// extend begins one more phase, after the others.
func (p *phaseTimer) extend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Reset(p.limit)
}

// stop ends the last phase, for good.
func (p *phaseTimer) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.timer.Stop()
}

// trace returns a context that restarts the timer when a request made with it begins to dial, to
// shake hands, and to be sent. It calls dials with how often a request has begun to dial again, and secured
// after each handshake.
func (p *phaseTimer) trace(ctx context.Context, dials func(again int), secured func()) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:           func(string) { dials(p.restart(dialing)) },
		TLSHandshakeStart: func() { p.restart(handshaking) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { secured() },
		GotConn:           func(httptrace.GotConnInfo) { p.restart(waiting) },
	})
}
