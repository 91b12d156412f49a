package fleet

import (
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/relaystream/autoconfig/internal/testkit"
)

// newTestCluster starts three servers and returns the addresses for clients.
func newTestCluster(t *testing.T) (addresses string) {
	t.Helper()
	var routes []*url.URL
	ports := testkit.FreePorts(t, 3)
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	}
	for i, port := range ports {
		s := startTestServer(t, server.Options{
			ServerName: "s" + strconv.Itoa(i), Routes: routes, Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
		})
		if i > 0 {
			addresses += ","
		}
		addresses += s.ClientURL()
	}
	return addresses
}

// TestCluster: in a bucket of three replicas, the fence holds and refuses nothing that it should not. There, unlike in
// one of a single replica, messages that are under way at the same time and expect the sequence of one subject are
// refused.
func TestCluster(t *testing.T) {
	b := connectTestBucket(t, newTestCluster(t), 3)
	present, old := newTestLease(t, b, time.Hour), newTestLease(t, b, time.Hour)
	acquired(t, old)
	before := last(t, b)
	total := 0
	for n := range 40 {
		w := &writer{lease: old}
		for range n {
			w.add("item.x", []byte("x"), 0, false, census{})
		}
		if written, err := w.flush(t.Context()); written != n || err != nil {
			t.Fatal(written, err)
		}
		if err := old.renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		total += n + 1
	}
	if got := last(t, b) - before; got != uint64(total) {
		t.Errorf("%d messages, want %d", got, total)
	}
	old.release(t.Context())
	acquired(t, present)
	checkFence(t, b, old, present)
}
