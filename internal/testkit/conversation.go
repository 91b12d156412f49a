package testkit

import (
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

// Conversation returns the server's part in a conversation that has everything in it, step by step.
func Conversation(s *autoconfigtest.Server) []func() {
	rotated := Environment("rotated", 2)
	rotated.SDKKey.Value = "sdk-rotated-new"
	rotated.SDKKey.Expiring.Value = "sdk-rotated"
	arrays := Environment("arrays", 2)
	arrays.SDKKeys = []decode.ConcurrentKeyRep[decode.SDKKey]{{Key: "main", Value: "sdk-arrays"}, {Key: "old", Value: "sdk-arrays-old"}}
	first := Listing(Environment("rotated", 1), Environment("arrays", 1), Environment("omitted", 5), Environment("deleted", 1))
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
			next.Environments["deleted"] = Environment("deleted", 3)
			s.Put(next)
		},
		func() { s.Patch(Environment("omitted", 5)) },
		s.EndConnections,
		func() { s.Patch(Environment("rotated", 3)) },
	}
}
