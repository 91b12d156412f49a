package autoconfig_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// TestObserveIsCold checks that nothing happens before a subscription, and that each has its own connection
// and state.
func TestObserveIsCold(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		changes := stream.Map(autoconfig.Observe(testkit.Key, testkit.To(srv)), lineOf)
		testkit.Pass(time.Hour)
		if n := len(srv.Requests()); n != 0 {
			t.Errorf("%d requests before anybody subscribed", n)
		}
		const added, synced = "added e1 Env e1 in Project (proj/e1-key) sdk=sdk-e1 mob=mob-e1", "synced"
		one := testkit.Watch(changes)
		testkit.Expect(t, "the first", one.Take(), added, synced)
		other := testkit.Watch(changes)
		testkit.Expect(t, "the other", other.Take(), added, synced)
		if n := srv.Connections(); n != 2 {
			t.Errorf("%d connections for two subscriptions", n)
		}
		one.Stop()
		synctest.Wait()
		if n := srv.Connections(); n != 1 {
			t.Errorf("%d connections after one of two has left", n)
		}
		srv.Delete("e1", 2)
		testkit.Expect(t, "the other", other.Take(), "deleted e1")
		if err := other.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestObserveConforms checks the contract of observables. Each subscription has a server of its own, which
// loses a connection on the way.
func TestObserveConforms(t *testing.T) {
	e1, e2, e1too := testkit.Environment("e1", 1), testkit.Environment("e2", 1), testkit.Environment("e1", 2)
	// The third connection is the last one if end is not nil: the key provider then ends it all.
	conversation := func(end error) func() stream.Observable[autoconfig.Change] {
		return func() stream.Observable[autoconfig.Change] {
			return func(ctx context.Context, yield func(autoconfig.Change) bool) error {
				srv := autoconfigtest.NewPipeServer(testkit.Key)
				defer srv.Close()
				srv.Next(
					body(event("put", `{"path":"/","data":{"environments":{"e1":`+testkit.JSON(e1)+`}}}`)),
					autoconfigtest.Status(503),
					body(event("put", `{"path":"/","data":{"environments":{"e2":`+testkit.JSON(e2)+`,"e1":`+testkit.JSON(e1too)+`}}}`)),
				)
				o, attempts := testkit.To(srv), 0
				o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) {
					if attempts++; end != nil && attempts > 3 {
						return "", backoff.Permanent(end)
					}
					return testkit.Key, nil
				}
				return autoconfig.Observe("", o)(ctx, yield)
			}
		}
	}
	synced := autoconfig.Change{Kind: autoconfig.Synced}
	want := []autoconfig.Change{
		{Kind: autoconfig.EnvironmentAdded, New: &e1}, synced,
		{Kind: autoconfig.EnvironmentAdded, New: &e2}, {Kind: autoconfig.EnvironmentUpdated, Old: &e1, New: &e1too}, synced,
	}
	t.Run("endless", func(t *testing.T) {
		streamtest.Test(t, conversation(nil), want, &streamtest.Options{Endless: true})
	})
	t.Run("failing for good", func(t *testing.T) {
		end := errors.New("no key any more")
		streamtest.Test(t, conversation(end), want, &streamtest.Options{Err: end})
	})
	t.Run("wrong key", func(t *testing.T) {
		streamtest.Test(t, func() stream.Observable[autoconfig.Change] { return autoconfig.Observe("", nil) },
			nil, &streamtest.Options{Err: autoconfig.ErrInvalidKey})
	})
}
