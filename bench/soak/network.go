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
	// address is the base URI that clients use; dial ignores it.
	address = "http://127.0.0.1:1"
)

// A network connects clients to its present server. Some connections go through a proxy that breaks them,
// and the server answers some requests with a fault.
type network struct {
	client *http.Client

	mu      sync.Mutex
	rng     *rand.Rand
	server  *autoconfigtest.Server
	proxy   *autoconfigtest.Proxy // nil while there are no faults
	altered bool                  // clients may have something that the server never sent
	dialed  int                   // since the last call of counts
	faults  int
	log     []string // the faults since the server was replaced
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

// route returns the address for the next connection.
func (n *network) route() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed++
	url := n.server.URL
	if n.proxy != nil && n.rng.IntN(3) == 0 {
		link := autoconfigtest.RandomLink(n.rng)
		n.spoiled(fmt.Sprintf("connection: %+v", link))
		n.proxy.Next(link)
		url = n.proxy.URL
	}
	return strings.TrimPrefix(url, "http://")
}

// spoiled records a fault. The caller holds the lock.
func (n *network) spoiled(name string) {
	n.faults++
	if len(n.log) < cap(n.log) {
		n.log = append(n.log, name)
	}
}

// answer is an autoconfigtest.Fault that chooses the fault of one request, and plans itself for the next.
func (n *network) answer(next http.Handler) http.Handler {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server.Next(n.answer)
	if n.proxy == nil {
		return next
	}
	fault, name, alters := answer(n.rng)
	if fault == nil {
		return next
	}
	n.spoiled(name)
	n.altered = n.altered || alters
	return fault(next)
}

// act makes the server misbehave now and then.
func (n *network) act() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proxy != nil && n.rng.IntN(100) == 0 {
		n.spoiled("server: " + act(n.server, n.rng))
	}
}

// replace replaces the server with a new one that has the same content, and starts the faults.
func (n *network) replace() {
	n.calm()
	n.mu.Lock()
	old := n.server
	var content decode.PutContent
	if old != nil {
		content = old.Content()
	}
	n.server = autoconfigtest.NewServer(key)
	n.server.Put(content)
	n.server.Next(n.answer)
	n.proxy = autoconfigtest.NewProxy(n.server)
	n.log = make([]string, 0, 1000)
	n.mu.Unlock()
	if old != nil {
		old.Close() // without the lock, for which its requests may be waiting
	}
}

// calm stops the faults.
func (n *network) calm() {
	n.mu.Lock()
	proxy := n.proxy
	n.proxy = nil
	n.mu.Unlock()
	if proxy != nil {
		proxy.Close()
	}
}

// heal makes connected clients forget what the server never sent, if there may be such a thing. A version
// that is too high makes them ignore the true one until a put omits the item.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.altered {
		content := n.server.Content()
		n.server.Put(decode.PutContent{})
		n.server.Put(content)
	}
}

// healed records that all clients have what the server sent, and nothing else.
func (n *network) healed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.altered = false
}

// counts returns the numbers of connections and faults since the last call.
func (n *network) counts() (dialed, faults int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	dialed, faults = n.dialed, n.faults
	n.dialed, n.faults = 0, 0
	return dialed, faults
}

func (n *network) close() {
	n.calm()
	n.client.CloseIdleConnections()
	n.server.Close()
}
