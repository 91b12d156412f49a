//go:build unix

package faults_test

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/internal/testkit"
)

// brokers are a NATS server, or a cluster of three.
type brokers struct {
	t         *testing.T
	casts     []brokerCast
	processes []*process
}

// newBrokers starts n NATS servers.
func newBrokers(t *testing.T, n int) *brokers {
	t.Helper()
	b := &brokers{t: t, processes: make([]*process, n)}
	dir, ports := t.TempDir(), testkit.FreePorts(t, 2*n)
	for i := range n {
		c := brokerCast{Name: fmt.Sprint("broker-", i), Store: filepath.Join(dir, strconv.Itoa(i)), Port: ports[i]}
		if n > 1 {
			c.ClusterPort, c.Routes = ports[n+i], ports[n:]
		}
		b.casts = append(b.casts, c)
	}
	b.start()
	return b
}

// start starts the servers that do not run and lets those that are stopped go on. It waits until all accept
// connections.
func (b *brokers) start() {
	b.t.Helper()
	var starting []chan struct{}
	for i, p := range b.processes {
		if p != nil && p.running() {
			p.goOn()
			continue
		}
		ready := make(chan struct{})
		starting = append(starting, ready)
		b.processes[i] = launch(b.t, "broker", b.casts[i], func([]byte) { close(ready) })
	}
	for _, ready := range starting {
		select {
		case <-ready:
		case <-time.After(limit):
			b.t.Fatal("a NATS server does not start")
		}
	}
}

// well returns the servers that run and are not stopped.
func (b *brokers) well() (all []*process) {
	for _, p := range b.processes {
		if p.running() && p.still() == 0 {
			all = append(all, p)
		}
	}
	return all
}

// link returns a link to the servers, which begins with the i-th.
func (b *brokers) link(i int) *link {
	var targets []string
	for _, c := range b.casts {
		targets = append(targets, net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)))
	}
	i %= len(targets)
	return newLink(b.t, append(targets[i:], targets[:i]...)...)
}
