package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/stream"
)

// lease is short, so that the example is. The default suits a real fleet.
const lease = 2 * time.Second

// A publisher is a running call of fleet.Publish.
type publisher struct {
	name   string
	js     jetstream.JetStream
	status *stream.Behavior[fleet.Status]
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
}

// publish starts a publisher.
func publish(ctx context.Context, name string, js jetstream.JetStream, serviceURL string, out *printer) *publisher {
	ctx, cancel := context.WithCancel(ctx)
	p := &publisher{name: name, js: js, status: stream.NewBehavior(fleet.Status{}), cancel: cancel, done: make(chan struct{})}
	quiet := slog.New(slog.DiscardHandler) // it would repeat what is printed
	source := autoconfig.Observe(key, &autoconfig.Options{BaseURI: serviceURL, InitialRetryDelay: 200 * time.Millisecond, Logger: quiet})
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		holding := false
		_ = p.status.Observe(stream.Block[fleet.Status](16)).ForEach(context.WithoutCancel(ctx), func(s fleet.Status) error {
			if s.Holding && !holding {
				out.print(name, "holds the lease")
			}
			holding = s.Holding
			return nil
		})
	}()
	go func() {
		defer close(p.done)
		err := fleet.Publish(ctx, js, key, source, &fleet.Options{Lease: lease, Status: p.status, Logger: quiet})
		p.status.Close(nil)
		<-printed
		if !errors.Is(err, context.Canceled) {
			out.print(name, "has ended: %v", err)
		}
	}()
	return p
}

// kill ends the publisher without a farewell: it can neither renew nor release its lease.
func (p *publisher) kill() {
	p.js.Conn().Close()
	p.leave()
}

// leave ends the publisher. If it holds the lease, another has it at once.
func (p *publisher) leave() {
	p.cancel()
	<-p.done
	p.js.Conn().Close()
}
