package fleet_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig/fleet"
)

// What a member may publish, and a publisher besides, as OPERATIONS.md says.
var (
	memberMay = []string{
		"$JS.API.STREAM.INFO.KV_autoconfig", "$JS.API.CONSUMER.CREATE.KV_autoconfig.>", "$JS.API.CONSUMER.DELETE.KV_autoconfig.>",
		"$JS.FC.KV_autoconfig.>",
	}
	publisherMay = []string{
		"$JS.API.STREAM.CREATE.KV_autoconfig", "$JS.API.STREAM.MSG.GET.KV_autoconfig", "$JS.API.DIRECT.GET.KV_autoconfig.>", "$KV.autoconfig.>",
	}
)

// TestPermissions: these permissions suffice, and a member cannot write.
func TestPermissions(t *testing.T) {
	user := func(name string, publish ...string) *server.User {
		return &server.User{Username: name, Password: name, Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: publish},
			Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
		}}
	}
	b := &broker{t: t, opts: server.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
		Users: []*server.User{user("member", memberMay...), user("publisher", append(publisherMay, memberMay...)...)},
	}}
	b.start()
	t.Cleanup(b.stop)
	as := func(name string) jetstream.JetStream { return b.connect(nats.UserInfo(name, name)) }
	o := fleet.Options{Lease: time.Hour} // no renewal at the end
	up := newUpstream()
	up.put(environment("a", 1))
	first := publish(t, as("publisher"), up.observe, o)
	eventually(t, "the first takes the lease", first.holding)
	second := publish(t, as("publisher"), up.observe, o)
	js := as("member")
	m := member(t, js, fleet.Options{})
	ready(t, m)
	up.apply(patch(environment("a", 2)))
	has(t, m, "a:2")
	first.stop(t)
	eventually(t, "the second takes over", second.holding)
	up.put()
	has(t, m, "")
	const subject = "$KV.autoconfig.of-a-member" // to which the publisher, which may have more to write, writes nothing
	if err := js.Conn().Publish(subject, nil); err != nil {
		t.Fatal(err)
	}
	if err := js.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	s, err := as("publisher").Stream(t.Context(), "KV_autoconfig")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.GetLastMsgForSubject(t.Context(), subject); !errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Error("a member has written:", err)
	}
}
