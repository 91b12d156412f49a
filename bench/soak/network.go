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

// A network leads every connection to the server that it has at the time, some of them through a proxy
// that spoils them, and has the server answer some requests with something else.
type network struct {
	client *http.Client

	mu      sync.Mutex
	rng     *rand.Rand
	server  *autoconfigtest.Server
	proxy   *autoconfigtest.Proxy // nil while there are no faults
	altered bool                  // something may be known that the server never said
	dialed  int                   // since counts were last taken
	faults  int
	log     []string // what the faults were, since the last replacement
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
		n.spoiled(fmt.Sprintf("connection: %+v", link))
		n.proxy.Next(link)
		url = n.proxy.URL
	}
	return strings.TrimPrefix(url, "http://")
}

// spoiled notes a fault. The caller holds the lock.
func (n *network) spoiled(name string) {
	n.faults++
	if len(n.log) < cap(n.log) {
		n.log = append(n.log, name)
	}
}

// answer is an autoconfigtest.Fault that decides on one request, and plans itself again.
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

// act has the server do what it should not, now and then.
func (n *network) act() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proxy != nil && n.rng.IntN(100) == 0 {
		n.spoiled("server: " + act(n.server, n.rng))
	}
}

// replace puts a new server, which serves what the present one does, in its place, and has faults.
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
		old.Close() // waits for requests that may be waiting for the lock
	}
}

// calm ends the faults.
func (n *network) calm() {
	n.mu.Lock()
	proxy := n.proxy
	n.proxy = nil
	n.mu.Unlock()
	if proxy != nil {
		proxy.Close()
	}
}

// heal makes everybody who is connected forget what the server never said, if that may have happened:
// a version that is too high makes them ignore the true one, until a put does not list the item.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.altered {
		content := n.server.Content()
		n.server.Put(decode.PutContent{})
		n.server.Put(content)
	}
}

// healed notes that everybody knows what the server says, and nothing else.
func (n *network) healed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.altered = false
}

// counts returns how many connections and faults there were since it was last called.
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
