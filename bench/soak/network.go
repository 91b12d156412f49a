package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

const (
	// key is the auto-configuration key of all servers.
	key = "rel-00000000-0000-4000-8000-000000000000"
	// address is where clients think that the server is.
	address = "http://127.0.0.1:1"
)

// A network leads every connection to the server that there is at the time, some of them through a
// proxy that spoils them.
type network struct {
	client *http.Client

	mu     sync.Mutex
	rng    *rand.Rand
	server *autoconfigtest.Server
	proxy  *autoconfigtest.Proxy // nil while there are no faults
	dialed int
	faults int
	log    []string // of the round's faults
}

func newNetwork(seed uint64) *network {
	n := &network{rng: rand.New(rand.NewPCG(seed, 1))}
	n.client = &http.Client{Transport: &http.Transport{DialContext: n.dial}}
	return n
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", n.route())
}

// route returns the address that the next connection goes to.
func (n *network) route() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed++
	url := n.server.URL
	if n.proxy != nil && n.rng.IntN(3) == 0 {
		link := autoconfigtest.RandomLink(n.rng)
		n.spoiled("connection: %+v", link)
		n.proxy.Next(link)
		url = n.proxy.URL
	}
	return strings.TrimPrefix(url, "http://")
}

// spoiled notes a fault. The caller holds the lock.
func (n *network) spoiled(format string, args ...any) {
	n.faults++
	if len(n.log) < cap(n.log) {
		n.log = append(n.log, fmt.Sprintf(format, args...))
	}
}

// fault draws something under the lock, and notes it under the name that draw returns unless that is "".
func (n *network) fault(draw func(*rand.Rand) string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name := draw(n.rng); name != "" && n.proxy != nil {
		n.spoiled("%s", name)
	}
}

// replace puts a new server, which serves what the present one does, in its place, and has faults.
func (n *network) replace() *autoconfigtest.Server {
	n.calm()
	next := autoconfigtest.NewServer(key)
	n.mu.Lock()
	old := n.server
	var content decode.PutContent
	if old != nil {
		content = old.Content()
	}
	next.Put(content)
	n.server, n.proxy = next, autoconfigtest.NewProxy(next)
	n.dialed, n.faults, n.log = 0, 0, make([]string, 0, 1000)
	n.mu.Unlock()
	if old != nil {
		old.Close() // waits for requests that may be waiting for the lock
	}
	return next
}

// calm ends the faults of the network.
func (n *network) calm() {
	n.mu.Lock()
	proxy := n.proxy
	n.proxy = nil
	n.mu.Unlock()
	if proxy != nil {
		proxy.Close()
	}
}

func (n *network) calmed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proxy == nil
}

func (n *network) counts() (dialed, faults int, log []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dialed, n.faults, n.log
}

func (n *network) close() {
	n.calm()
	n.client.CloseIdleConnections()
	if n.server != nil {
		n.server.Close()
	}
}
