package autoconfig_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// TestHandlerSourceIsTheReverseOfDispatch dispatches random changes to a HandlerSource. An early subscriber
// must get the same changes, and a late one the state that they led to.
func TestHandlerSourceIsTheReverseOfDispatch(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		srv.Put(testkit.Listing(testkit.Environment("e1", 1)))
		o := testkit.To(srv)
		o.InitialRetryDelay = time.Millisecond
		source := autoconfig.NewHandlerSource()
		var dispatched []string
		state := testkit.NewMirror("told")
		early := testkit.Watch(stream.Map(source.Changes(), lineOf))
		synctest.Wait()
		told := testkit.Watch(func(ctx context.Context, yield func(struct{}) bool) error {
			changes := stream.Tap(autoconfig.Observe(testkit.Key, o), state.Apply)
			changes = stream.Tap(changes, func(c autoconfig.Change) { dispatched = append(dispatched, lineOf(c)) })
			return autoconfig.Dispatch(ctx, changes, source)
		})
		synctest.Wait()
		meddle(t, srv, rand.New(rand.NewPCG(seed, 0)), 500)
		testkit.Pass(time.Minute)
		testkit.Expect(t, "changes", early.Take(), dispatched...)

		late := testkit.NewMirror("late")
		newcomer := testkit.Watch(stream.Tap(source.Changes(), late.Apply))
		if changes := newcomer.Take(); changes[len(changes)-1].Kind != autoconfig.Synced {
			t.Errorf("the state so far ends with %v", changes[len(changes)-1])
		}
		want, got := map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams{}, map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams{}
		for id, e := range state.Environments {
			want[id] = autoconfig.Params(&e)
		}
		for id, e := range late.Environments {
			got[id] = autoconfig.Params(&e)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("state (-want +got):\n%s", d)
		}
		told.Stop()
		source.Close()
		for _, err := range []error{early.End(), newcomer.End()} {
			if err != nil {
				t.Errorf("after Close it ended with %v", err)
			}
		}
	})
}

// TestHandlerSourceIsConsistent checks that a HandlerSource emits consistent changes whatever it is
// told.
func TestHandlerSourceIsConsistent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := autoconfig.NewHandlerSource()
		changes := testkit.Watch(stream.Map(source.Changes(), lineOf))
		synctest.Wait()
		one := autoconfig.EnvironmentParams{EnvID: "e1", SDKKey: "sdk-1", ExpiringSDKKey: autoconfig.ExpiringSDKKey{Key: "sdk-0"}, TTL: time.Minute}
		for _, step := range []struct {
			why  string
			tell func()
			want []string
		}{
			{"update of what is unknown", func() { source.UpdateEnvironment(one) }, []string{"added e1 sdk=sdk-1 old=sdk-0 ttl=1m0s"}},
			{"addition of what is known", func() { source.AddEnvironment(one) }, []string{"updated e1 sdk=sdk-1 old=sdk-0 ttl=1m0s"}},
			{"expiry", func() { source.KeyExpired("e1", "sdk-0") }, []string{"expired e1 sdk-0"}},
			{"expiry of a key that is not named", func() { source.KeyExpired("e1", "sdk-9") }, []string{"expired e1 sdk-9"}},
			{"expiry in an unknown environment", func() { source.KeyExpired("e2", "sdk-0") }, nil},
			{"deletion of what is unknown", func() { source.DeleteEnvironment("e2") }, nil},
			{"deletion", func() { source.DeleteEnvironment("e1") }, []string{"deleted e1"}},
			{"deletion, again", func() { source.DeleteEnvironment("e1") }, nil},
			{"addition after deletion", func() { source.AddEnvironment(autoconfig.EnvironmentParams{EnvID: "e1"}) }, []string{"added e1"}},
			{"update of an unknown filter", func() { source.UpdateFilter(autoconfig.FilterParams{ID: "f1", Key: "one"}) }, []string{"filter added f1 one"}},
			{"addition of a known filter", func() { source.AddFilter(autoconfig.FilterParams{ID: "f1", Key: "uno"}) }, []string{"filter updated f1 uno"}},
			{"deletion of an unknown filter", func() { source.DeleteFilter("f2") }, nil},
			{"deletion of a filter", func() { source.DeleteFilter("f1") }, []string{"filter deleted f1"}},
			{"complete", source.ReceivedAllEnvironments, []string{"synced"}},
			{"complete, again", source.ReceivedAllEnvironments, []string{"synced"}},
			{"anything after Close", func() { source.Close(); source.Close(); source.AddEnvironment(one) }, nil},
		} {
			step.tell()
			testkit.Expect(t, step.why, changes.Take(), step.want...)
		}
		late := testkit.Watch(stream.Map(source.Changes(), lineOf))
		if err := late.End(); err != nil {
			t.Error(err)
		}
		testkit.Expect(t, "state after Close", late.Take(), "added e1", "synced")
	})
}

// TestHandlerSourceForgetsExpiredKeys checks that a late subscriber does not hear of a key that has expired.
func TestHandlerSourceForgetsExpiredKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := autoconfig.NewHandlerSource()
		source.AddEnvironment(autoconfig.EnvironmentParams{EnvID: "e1", SDKKey: "sdk-1", ExpiringSDKKey: autoconfig.ExpiringSDKKey{Key: "sdk-0"}})
		source.KeyExpired("e1", "sdk-0")
		late := testkit.Watch(stream.Map(source.Changes(), lineOf))
		testkit.Expect(t, "state", late.Take(), "added e1 sdk=sdk-1")
		source.Close()
	})
}
