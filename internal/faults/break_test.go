package faults_test

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// This package tests one property: whatever happens on the network, once a clean connection delivers a put, the
// client's state equals the server's, the changes of each subscriber lead to exactly that state, and nothing is
// left after Close.

var faultStride = flag.Int("faults.stride", 23, "break a conversation at every n-th byte")

// A conversation returns the server's part in one, step by step.
type conversation func(s *autoconfigtest.Server) []func()

// quickstart is the conversation of the program of that name.
func quickstart(s *autoconfigtest.Server) []func() {
	production := testkit.Environment("shop-prod", 1)
	return []func(){
		func() {
			s.Put(testkit.Listing(production, testkit.Environment("shop-test", 1), testkit.Environment("blog-prod", 1), testkit.Environment("blog-test", 1)))
		},
		func() {
			production.Version = 2
			production.SDKKey.Expiring.Value = production.SDKKey.Value
			production.SDKKey.Expiring.Timestamp = time.Now().Add(time.Second).UnixMilli()
			production.SDKKey.Value = "sdk-shop-prod-0002"
			s.Patch(production)
		},
		func() {
			s.Delete("blog-test", 3)
			s.SendEvent(autoconfig.PatchEvent, `{"path":"/environments/blog-test","data":{"envID":"blog-test","version":2}}`)
		},
		s.Reconnect,
		func() { s.SendEvent(autoconfig.PatchEvent, `{"path":`) },
	}
}

// TestConversationBrokenAnywhere breaks conversations at each byte of the network, header and framing
// included, by an end of the connection and by silence.
func TestConversationBrokenAnywhere(t *testing.T) {
	for name, c := range map[string]conversation{"quickstart": quickstart, "everything": testkit.Conversation} {
		length := breakAt(t, c, -1, false)
		if length < 3000 || length > 20000 {
			t.Fatalf("the conversation %s has %d bytes", name, length)
		}
		for _, stall := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stall=%v", name, stall), func(t *testing.T) {
				t.Parallel()
				breaks := 0
				for at := int64(0); at < length; at += int64(*faultStride) {
					breaks++
					if breakAt(t, c, at, stall); t.Failed() {
						t.Fatalf("broken at byte %d of %d", at, length)
					}
				}
				t.Logf("broken at %d of %d bytes, for three clients each", breaks, length)
			})
		}
	}
}

// breakAt has a conversation broken at a byte, and checks what is known after it. It returns the
// length of the longest of the clients' conversations.
func breakAt(t *testing.T, c conversation, at int64, stall bool) (length int64) {
	synctest.Test(t, func(t *testing.T) {
		server := autoconfigtest.NewPipeServer(testkit.Key)
		defer server.Close()
		var wires [3]*testkit.Wire
		for i := range wires {
			wires[i] = testkit.NewWire(server)
			wires[i].At, wires[i].Stall = at, stall
		}
		a := gather(t, server, wires, autoconfig.Options{}, nil)
		defer a.leave(t)
		for _, step := range c(server) {
			step()
			testkit.Pass(time.Minute)
		}
		// The longest silence, and the longest delay of one failure after it.
		testkit.Pass(5*time.Minute + 2*time.Second)
		server.Put(server.Content())
		synctest.Wait()
		a.check(t)
		for _, w := range wires {
			length = max(length, w.Bytes())
			if _, dialed := w.Connections(); dialed > 8 {
				t.Errorf("the client has connected %d times", dialed)
			}
		}
	})
	return length
}
