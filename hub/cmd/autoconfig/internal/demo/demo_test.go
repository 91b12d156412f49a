package demo

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSomethingHappens follows the scenario for an hour of virtual time. Everything that a page can show must happen, and
// the client must end up with the configuration of the server.
func TestSomethingHappens(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, _ *autoconfigtest.Server) {
		server := autoconfigtest.NewPipeServer(string(Key))
		defer server.Close()
		ctx, stop := context.WithCancel(t.Context())
		played := make(chan struct{})
		go func() {
			defer close(played)
			Play(ctx, server, 1)
		}()
		o := testkit.To(server)
		o.Logger = testkit.Censored(t)
		client, err := autoconfig.Open(t.Context(), Key, o)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		changes, states := testkit.Watch(client.Changes()), testkit.Watch(client.Status())
		testkit.Pass(time.Hour)
		stop()
		<-played
		testkit.Pass(10 * time.Minute) // the client connects, and all keys expire

		mirror := testkit.NewMirror("demo")
		seen, omitted := make(map[diff.Kind]int), 0
		for _, c := range changes.Stop() {
			mirror.Apply(c)
			if seen[c.Kind]++; c.Omitted {
				omitted++
			}
		}
		mirror.Check(t, testkit.Current(server.Content()))
		for kind := autoconfig.EnvironmentAdded; kind <= autoconfig.Synced; kind++ {
			if seen[kind] < 5 {
				t.Errorf("%d changes in an hour: %v", seen[kind], kind)
			}
		}
		interruptions := 0
		for _, s := range states.Stop() {
			if s.State == autoconfig.Interrupted && s.Attempt == 0 {
				interruptions++
			}
		}
		if omitted < 5 || interruptions < 5 {
			t.Errorf("in an hour %d environments were omitted, and %d connections lost", omitted, interruptions)
		}
	})
}
