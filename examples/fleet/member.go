package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/fleet"
)

// A member is a client that is fed by the bucket.
type member struct {
	js        jetstream.JetStream
	client    *autoconfig.Client
	following sync.WaitGroup
}

// join starts a member that tells the audience what it sees.
func join(ctx context.Context, js jetstream.JetStream, a *audience) (*member, error) {
	client, err := autoconfig.Open(ctx, key, &autoconfig.Options{
		Source: fleet.Source(js, key, nil), InitialRetryDelay: 200 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	m := &member{js: js, client: client}
	m.following.Go(func() {
		_ = client.Changes().ForEach(ctx, func(c autoconfig.Change) error {
			a.saw(c.String())
			return nil
		})
	})
	return m, nil
}

// has reports whether the member has a version of an environment.
func (m *member) has(id autoconfig.EnvironmentID, version int) bool {
	for _, e := range m.client.Snapshot().Environments {
		if e.EnvID == id {
			return e.Version == version
		}
	}
	return false
}

func (m *member) leave() {
	m.client.Close()
	m.following.Wait()
	m.js.Conn().Close()
}

// An audience prints what members see, once for all.
type audience struct {
	out *printer

	mu   sync.Mutex
	size int
	seen map[string]int // how many have seen it
}

// saw prints what the last of the members has seen.
func (a *audience) saw(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen[what]++; a.seen[what] == a.size {
		a.out.print("members", "all %d: %s", a.size, what)
		delete(a.seen, what)
	}
}

// expect changes how many members there are.
func (a *audience) expect(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.size, a.seen = n, make(map[string]int)
}
