package rx

import (
	"context"
	"sync"
)

// An enclosure lets FromRxGo wait for what RxGo can't be asked to wait for: the streams that run
// inside, behind any number of RxGo's operators. RxGo closes its channels without waiting for what
// feeds them, but it hands the context of an Observe up to the producers, and the enclosure with it.
type enclosure struct {
	inside sync.WaitGroup
	mu     sync.Mutex
	closed bool // nobody may enter any more; guarded by mu
}

type enclosureKey struct{}

// enclose returns a context with a new enclosure, and what cancels it and waits until all have left.
func enclose(ctx context.Context) (context.Context, func()) {
	e := new(enclosure)
	ctx, cancel := context.WithCancel(context.WithValue(ctx, enclosureKey{}, e))
	return ctx, func() {
		cancel()
		e.mu.Lock()
		e.closed = true
		e.mu.Unlock()
		e.inside.Wait()
	}
}

// enter joins the enclosure of ctx, if any. False means that it has been closed already: RxGo starts
// producers on goroutines of their own, which may come late.
func enter(ctx context.Context) (leave func(), ok bool) {
	e, ok := ctx.Value(enclosureKey{}).(*enclosure)
	if !ok {
		return func() {}, true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, false
	}
	e.inside.Add(1)
	return e.inside.Done, true
}
