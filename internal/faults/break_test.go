package faults_test

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
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

// everything is a conversation that has everything in it.
func everything(s *autoconfigtest.Server) []func() {
	rotated := testkit.Environment("rotated", 2)
	rotated.SDKKey.Value = "sdk-rotated-new"
	rotated.SDKKey.Expiring.Value = "sdk-rotated"
	arrays := testkit.Environment("arrays", 2)
	arrays.SDKKeys = []decode.ConcurrentKeyRep[decode.SDKKey]{{Key: "main", Value: "sdk-arrays"}, {Key: "old", Value: "sdk-arrays-old"}}
	first := testkit.Listing(testkit.Environment("rotated", 1), testkit.Environment("arrays", 1), testkit.Environment("omitted", 5), testkit.Environment("deleted", 1))
	first.Filters = map[autoconfig.FilterID]autoconfig.FilterRep{"f1": {ProjKey: "proj", FilterKey: "one", Version: 1}}
	return []func(){
		func() { s.Put(first) },
		func() {
			rotated.SDKKey.Expiring.Timestamp = time.Now().Add(90 * time.Second).UnixMilli()
			s.Patch(rotated)
		},
		func() { s.PatchFilter("f2", autoconfig.FilterRep{ProjKey: "proj2", FilterKey: "two", Version: 7}) },
		s.Reconnect,
		func() { s.Delete("deleted", 2); s.DeleteFilter("f1", 2) },
		func() {
			s.SendEvent("patch", `{"path":"/environments/rotated","data":{"envID":"rotated","version":"3"}}`)
		},
		func() {
			expiry := time.Now().Add(30 * time.Second).UnixMilli()
			arrays.SDKKeys[1].Expiry = &expiry
			s.Patch(arrays)
		},
		func() {
			next := s.Content()
			delete(next.Environments, "omitted")
			next.Environments["deleted"] = testkit.Environment("deleted", 3)
			s.Put(next)
		},
		func() { s.Patch(testkit.Environment("omitted", 5)) },
		s.EndConnections,
		func() { s.Patch(testkit.Environment("rotated", 3)) },
	}
}

// TestConversationBrokenAnywhere breaks conversations at each byte of the network, header and framing
// included, by an end of the connection and by silence.
func TestConversationBrokenAnywhere(t *testing.T) {
	for name, c := range map[string]conversation{"quickstart": quickstart, "everything": everything} {
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
