package autoconfig_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// errStop ends the clients of this file, through the context given to Open: that takes effect before cancel
// returns, in the middle of what the client is doing.
var errStop = errors.New("stop")

// An enabledLog is a slog.Handler without lines. Its Enabled, which the client calls in the middle of what it is
// doing, calls f.
type enabledLog struct {
	slog.Handler
	f func(slog.Level)
}

func (l enabledLog) Enabled(_ context.Context, level slog.Level) bool {
	l.f(level)
	return false
}

// TestEndWhileAPutIsDecoded checks that decoding stops when the client ends, and that nobody hears of the
// put.
func TestEndWhileAPutIsDecoded(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		o := testkit.To(srv)
		asked := false
		o.Logger = slog.New(enabledLog{slog.DiscardHandler, func(level slog.Level) {
			if level == slog.LevelDebug { // the event has been received and is about to be decoded
				asked = true
				cancel(errStop)
			}
		}})
		c, err := autoconfig.Open(ctx, testkit.Key, o)
		if err != nil {
			t.Fatal(err)
		}
		messages := testkit.Watch(c.Messages())
		synctest.Wait()
		srv.Put(manyEnvironments(1000))
		synctest.Wait()
		if err := c.Ready(t.Context()); err != errStop || !asked {
			t.Errorf("Ready returned %v, want %v", err, errStop)
		}
		if got := messages.Take(); len(got) != 0 {
			t.Errorf("%d messages were decoded", len(got))
		}
		if took := closing(c); took != 0 {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestEndWhileAPutIsApplied checks that a put is not applied further when the client ends, and that the
// incomplete configuration does not replace the saved one.
func TestEndWhileAPutIsApplied(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		const many, applied = 1000, 10
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		var cache memoryCache
		c, err := autoconfig.Open(ctx, testkit.Key, with(&cache, srv))
		if err != nil {
			t.Fatal(err)
		}
		srv.Put(testkit.Listing(testkit.Environment("before", 1)))
		synctest.Wait()
		// A policy is asked for the key of each change while the put is being applied.
		added := 0
		policy := stream.Coalesce(1, func(change autoconfig.Change) autoconfig.EnvironmentID {
			if added++; added == applied {
				cancel(errStop)
			}
			return change.Subject().Environment
		}, func(_, newer autoconfig.Change) (autoconfig.Change, stream.Place) { return newer, stream.AtNewer })
		slow, release := blocked(c.ChangesUnder(policy))
		synctest.Wait()
		next := manyEnvironments(many)
		next.Environments["before"] = testkit.Environment("before", 2)
		srv.Put(next)
		synctest.Wait()
		release()
		if err := slow.End(); err != errStop {
			t.Errorf("the subscriber ended with %v, want %v", err, errStop)
		}
		s := c.Stats().State
		if got := int(s.Applied); added < applied || got < applied || got > many/2 || c.Snapshot().Synced {
			t.Errorf("%d of %d environments were applied; complete: %t", got, many, c.Snapshot().Synced)
		}
		if took := closing(c); took != 0 {
			t.Errorf("Close took %v", took)
		}
		expectCached(t, cache.data, "before@1 synced=true cached=true")
	})
}
