package autoconfigtest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// A listener is where a Server or a Proxy is reached.
type listener interface {
	net.Listener
	// dial connects to the listener, whatever network and address are.
	dial(ctx context.Context, network, address string) (net.Conn, error)
	// again listens at the same address once this listener is closed.
	again() (listener, error)
}

// loopbackListener listens on a TCP port of 127.0.0.1.
type loopbackListener struct{ net.Listener }

func listenLoopback() listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("autoconfigtest: cannot listen on the loopback interface: %v", err))
	}
	return loopbackListener{l}
}

func (l loopbackListener) again() (listener, error) {
	next, err := net.Listen("tcp", l.Addr().String())
	return loopbackListener{next}, err
}

func (l loopbackListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", l.Addr().String())
}

// memoryListener accepts connections that are pipes. Its channels, and those of the pipes, belong
// to the synctest bubble in which they are made.
type memoryListener struct {
	accepted  chan net.Conn
	closed    chan struct{}
	closeOnce sync.Once
}

func listenMemory() listener {
	return &memoryListener{accepted: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepted:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.closeOnce.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) again() (listener, error) { return listenMemory(), nil }

func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.accepted <- far:
		return near, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.Addr(), Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.Addr(), Err: context.Cause(ctx)}
	}
}

// memoryAddr is a loopback address, because clients may send a key without TLS only to one. Nothing
// can listen on its port.
type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "127.0.0.1:0" }
