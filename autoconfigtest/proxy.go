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

// A Proxy passes network connections on to a Server and breaks or slows them on demand. It works
// on bytes and knows nothing of HTTP or TLS; for faults of HTTP, see [Fault].
type Proxy struct {
	// URL is the base URI for clients that connect through the proxy. It doesn't change.
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

// Client returns an HTTP client like that of [Server.Client], which connects through the proxy.
func (p *Proxy) Client() *http.Client { return p.client }

// Next plans links for the next network connections, one for each, after those already planned. A
// connection for which none is planned is passed on as it is.
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

// Format implements fmt.Formatter. Every verb prints the URL.
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
		// An error means that one side has left, which is no failure of the proxy.
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
