//go:build unix

package faults_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// A member is a client that is fed by the bucket, with a subscriber that checks every change.
type member struct {
	client  *autoconfig.Client
	link    *link
	mirror  *testkit.Mirror
	service *service
	leave   func()

	mu      sync.Mutex
	deleted map[edition]int
	expired map[autoconfig.SDKKey]bool
	problem string // the first
}

// join returns a member that leaves at the end of the test.
func join(t *testing.T, name string, s *service, l *link) *member {
	t.Helper()
	js, err := connect("nats://" + l.address)
	if err != nil {
		t.Fatal(err)
	}
	disconnected := make(chan struct{})
	js.Conn().SetClosedHandler(func(*nats.Conn) { close(disconnected) })
	client, err := autoconfig.Open(t.Context(), testkit.Key, &autoconfig.Options{
		Source: fleet.Source(js, testkit.Key, &fleet.Options{Heartbeat: heartbeat}), InitialRetryDelay: 20 * time.Millisecond,
		Logger: testkit.Censored(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	m := &member{
		client: client, link: l, mirror: testkit.NewMirror(name), service: s,
		deleted: make(map[edition]int), expired: make(map[autoconfig.SDKKey]bool),
	}
	var following sync.WaitGroup
	following.Go(func() {
		_ = client.ChangesUnder(stream.Block[autoconfig.Change](1)).ForEach(t.Context(), func(c autoconfig.Change) error {
			m.apply(&c)
			return nil
		})
	})
	m.leave = sync.OnceFunc(func() {
		client.Close()
		following.Wait()
		js.Conn().Close()
		<-disconnected
	})
	t.Cleanup(m.leave)
	return m
}

// apply applies a change, and notes if it must not be.
func (m *member) apply(c *autoconfig.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mirror.Apply(*c)
	problem := ""
	switch e := (edition{Subject: c.Subject()}); c.Kind {
	case diff.EnvironmentDeleted, diff.FilterDeleted:
		if c.Old != nil {
			e.version = c.Old.Version
		} else {
			e.version = c.OldFilter.Version
		}
		m.deleted[e]++
		if ended := m.service.endings(e); m.deleted[e] > ended {
			problem = fmt.Sprintf("%v: deleted %d times, by the service %d times", c, m.deleted[e], ended)
		}
	case diff.KeyExpired:
		if m.expired[c.Key.SDKKey] {
			problem = fmt.Sprintf("%v: again", c)
		}
		m.expired[c.Key.SDKKey] = true
	}
	if m.problem == "" {
		m.problem = problem
	}
}

// equals reports whether the state of the member, and what its changes led to, is the content of the service.
func (m *member) equals(content decode.PutContent) bool {
	snapshot := testkit.NewMirror("")
	snapshot.Set(m.client.Snapshot())
	return snapshot.Diff(content) == "" && m.mirror.Diff(content) == ""
}

// check fails the test if the member was told what must not be.
func (m *member) check(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.problem != "" {
		t.Errorf("%s: %s", m.mirror.Name, m.problem)
	}
	if m.mirror.Problem != "" {
		t.Errorf("%s: %s\nchanges:\n%v", m.mirror.Name, m.mirror.Problem, m.mirror.Applied)
	}
}
