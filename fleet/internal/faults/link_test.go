//go:build unix

package faults_test

import (
	"net"
	"sync"
	"testing"
)

// A link passes TCP connections on to the first of its targets that answers, and can be broken.
type link struct {
	address  string
	listener net.Listener
	targets  []string
	running  sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	state   linkState
	turn    int // the target that is tried first
	conns   map[net.Conn]bool
}

// A linkState is what a link does.
type linkState int

const (
	passing  linkState = iota
	refusing           // it closes new connections
	stalled            // it keeps connections and passes nothing on
	closed
)

func newLink(t *testing.T, targets ...string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, address: listener.Addr().String(), targets: targets, conns: make(map[net.Conn]bool)}
	l.changed = sync.NewCond(&l.mu)
	l.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.running.Go(func() { l.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.set(closed)
		l.cut()
		l.running.Wait()
	})
	return l
}

// set changes what the link does. Connections that there are stay.
func (l *link) set(s linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	l.changed.Broadcast()
}

// cut closes all connections.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

func (l *link) serve(client net.Conn) {
	defer client.Close()
	server := l.dial()
	if server == nil {
		return
	}
	defer server.Close()
	if !l.register(client, server) {
		return
	}
	defer l.forget(client, server)
	var copies sync.WaitGroup
	pass := func(to, from net.Conn) {
		defer to.Close()
		defer from.Close()
		for buffer := make([]byte, 32<<10); ; {
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			l.await()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	copies.Go(func() { pass(server, client) })
	copies.Go(func() { pass(client, server) })
	copies.Wait()
}

// dial returns a connection to a target, nil if none answers or the link refuses.
func (l *link) dial() net.Conn {
	l.mu.Lock()
	first, refuse := l.turn, l.state == refusing || l.state == closed
	l.turn++
	l.mu.Unlock()
	for i := range l.targets {
		if refuse {
			return nil
		}
		if conn, err := net.Dial("tcp", l.targets[(first+i)%len(l.targets)]); err == nil {
			return conn
		}
	}
	return nil
}

func (l *link) register(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		l.conns[conn] = true
	}
	return l.state != closed
}

func (l *link) forget(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		delete(l.conns, conn)
	}
}

// await waits while the link is stalled.
func (l *link) await() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.state == stalled {
		l.changed.Wait()
	}
}
