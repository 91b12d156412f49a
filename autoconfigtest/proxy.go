package autoconfigtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// A Proxy passes network connections on to a Server and spoils them on demand. It knows nothing of
// HTTP; [Fault] does. Where the server has TLS, it goes through untouched.
type Proxy struct {
	// URL takes the place of the server's URL. It doesn't change.
	URL string

	listener  listener
	server    *restartable
	client    *http.Client
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	running   sync.WaitGroup
	closeOnce sync.Once

	mu    sync.Mutex
	links []Link // for the next connections
}

// NewProxy starts a proxy in front of a server: on a free TCP port of 127.0.0.1, or in memory if
// the server is a [NewPipeServer]. It panics if it cannot listen.
func NewProxy(server *Server) *Proxy {
	p := &Proxy{server: server.listener}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	transport := server.Client().Transport.(*http.Transport).Clone()
	if _, memory := server.listener.Addr().(memoryAddr); memory {
		p.listener = listenMemory()
		transport.DialContext = p.listener.dial
	} else {
		p.listener = listenLoopback()
	}
	p.client = &http.Client{Transport: transport}
	scheme, _, _ := strings.Cut(server.URL, "://")
	p.URL = scheme + "://" + p.listener.Addr().String()
	p.running.Go(p.accept)
	return p
}

// Client is like [Server.Client], for clients that connect through the proxy.
func (p *Proxy) Client() *http.Client { return p.client }

// Next plans how the next network connections are treated: the first link is for the next
// connection, the second for the one after it, and so on, behind those already planned.
// Connections with no plan are passed on unspoiled.
//
// An HTTP client may use one network connection for several requests.
func (p *Proxy) Next(links ...Link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = append(p.links, links...)
}

// Close closes all connections and returns when everything has stopped. The server stays open.
func (p *Proxy) Close() {
	p.closeOnce.Do(func() {
		p.cancel()
		_ = p.listener.Close()
		p.running.Wait()
	})
}

// Format implements fmt.Formatter for every verb: the URL.
func (p *Proxy) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "autoconfigtest.Proxy(%s)", p.URL) }

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		link := p.next()
		p.running.Go(func() { p.serve(conn, link) })
	}
}

func (p *Proxy) next() Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.links) == 0 {
		return Link{}
	}
	link := p.links[0]
	p.links = p.links[1:]
	return link
}

func (p *Proxy) serve(client net.Conn, link Link) {
	defer client.Close()
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	server, err := p.server.dial(ctx, "", "")
	if err != nil {
		return
	}
	defer server.Close()

	var copies sync.WaitGroup
	copies.Go(func() {
		defer cancel()
		// The side that fails is gone, and that is all there is to know.
		_, _ = io.Copy(server, client)
	})
	copies.Go(func() {
		defer cancel()
		link.pass(ctx, client, server)
	})
	<-ctx.Done()
	_ = client.Close()
	_ = server.Close()
	copies.Wait()
}
