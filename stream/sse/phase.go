package sse

import (
	"context"
	"net/http/httptrace"
	"sync"
	"time"
)

// A phaseTimer calls expired if one phase of connecting takes too long. It hears of the phases
// from net/http, so that it works with any client; with a RoundTripper that does not report
// them, everything up to the response's header is one phase.
type phaseTimer struct {
	limit time.Duration

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

func startPhaseTimer(limit time.Duration, expired func()) *phaseTimer {
	return &phaseTimer{limit: limit, timer: time.AfterFunc(limit, expired)}
}

// restart begins a phase.
func (p *phaseTimer) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A pooling transport may still be dialling for a request that got another connection.
	if !p.stopped {
		p.timer.Reset(p.limit)
	}
}

// stop ends the last phase, for good.
func (p *phaseTimer) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.timer.Stop()
}

// trace returns a context that restarts the timer when a request made with it begins to dial, to
// shake hands, and to be sent.
func (p *phaseTimer) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:           func(string) { p.restart() },
		TLSHandshakeStart: func() { p.restart() },
		GotConn:           func(httptrace.GotConnInfo) { p.restart() },
	})
}
