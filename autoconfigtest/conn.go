package autoconfigtest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// connKey is the context key of a request's network connection.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	// Closed itself, a tls.Conn would say goodbye, which a connection that breaks doesn't.
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return context.WithValue(ctx, connKey{}, conn)
}

func connOf(r *http.Request) net.Conn {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	return conn
}

// hangUp ends the handler of r and its connection, without the end of the response.
func hangUp(r *http.Request, reset bool) {
	// It is nil in a server of somebody else's, where net/http closes it.
	if conn := connOf(r); conn != nil {
		closeConn(conn, reset)
	}
	panic(http.ErrAbortHandler)
}

// closeConn closes a connection, with a TCP reset on request. Other connections have no such thing.
func closeConn(conn net.Conn, reset bool) {
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	// A connection may be closed already.
	_ = conn.Close()
}
