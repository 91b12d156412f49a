package autoconfig_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestLimits sets a limit, has the server reach it, and then exceed it by one. The defaults are tested by
// the packages that set them, Lag by TestLag, and timeouts by TestTimeouts.
func TestLimits(t *testing.T) {
	const limit = 7
	for name, test := range map[string]struct {
		set    func(o *autoconfig.Options)
		server func(srv *autoconfigtest.Server, n int)
		within func(c *autoconfig.Client, failed []error) bool
	}{
		"MaxEventSize": {
			func(o *autoconfig.Options) { o.MaxEventSize = len("data: "+emptyPut) + limit },
			func(srv *autoconfigtest.Server, n int) { srv.Next(body(event("put", emptyPut+strings.Repeat(" ", n)))) },
			func(c *autoconfig.Client, failed []error) bool { return !errors.Is(failed[0], sse.ErrEventTooLarge) },
		},
		"MaxEnvironments": {
			func(o *autoconfig.Options) { o.MaxEnvironments = limit },
			func(srv *autoconfigtest.Server, n int) {
				var some []autoconfig.EnvironmentRep
				for i := range n {
					some = append(some, testkit.Environment(autoconfig.EnvironmentID('a'+rune(i)), 1))
				}
				srv.Put(testkit.Listing(some...))
			},
			func(c *autoconfig.Client, failed []error) bool {
				if len(failed) > 0 && !errors.Is(failed[0], decode.ErrTooMany) || len(failed) > 0 == c.Snapshot().Synced {
					t.Error(failed)
				}
				return len(failed) == 0
			},
		},
		"MaxTombstones": {
			func(o *autoconfig.Options) { o.MaxTombstones = limit },
			func(srv *autoconfigtest.Server, n int) {
				text := event("put", emptyPut)
				for i := range n {
					text += event("delete", testkit.JSON(decode.DeleteMessageData{Path: "/environments/" + string('a'+rune(i)), Version: 2}))
				}
				late := decode.PatchMessageData{Path: "/environments/a", Data: testkit.Environment("a", 1)}
				srv.Next(body(text + event("patch", testkit.JSON(late))))
			},
			func(c *autoconfig.Client, failed []error) bool { return len(c.Snapshot().Environments) == 0 },
		},
		"MaxRedirects": {
			func(o *autoconfig.Options) { o.MaxRedirects = limit },
			func(srv *autoconfigtest.Server, n int) {
				srv.Next(slices.Repeat([]autoconfigtest.Fault{autoconfigtest.Redirect(srv.URL + "/relay_auto_config?rpacProtocolVersion=2")}, n)...)
				srv.Put(testkit.Listing())
			},
			func(c *autoconfig.Client, failed []error) bool { return len(failed) == 0 },
		},
	} {
		for _, n := range []int{limit, limit + 1} {
			testkit.InBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				o := testkit.To(srv)
				test.set(o)
				test.server(srv, n)
				c, statuses, _ := observed(t, o)
				synctest.Wait()
				var failed []error
				for _, s := range statuses.Take() {
					if s.Err != nil {
						failed = append(failed, s.Err)
					}
				}
				if within := test.within(c, failed); within != (n == limit) {
					t.Errorf("%s: with %d of %d it is within the limit: %t; failures: %v", name, n, limit, within, failed)
				}
				c.Close()
				testkit.Pass(time.Second)
			})
		}
	}
}
