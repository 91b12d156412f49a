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
	// Closing a tls.Conn would send an alert. A connection that breaks sends none.
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return context.WithValue(ctx, connKey{}, conn)
}

func connOf(r *http.Request) net.Conn {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	return conn
}

// hangUp ends the handler of r and closes its connection, without completing the response.
func hangUp(r *http.Request, reset bool) {
	// It is nil in another http.Server. There, net/http closes the connection.
	if conn := connOf(r); conn != nil {
		closeConn(conn, reset)
	}
	panic(http.ErrAbortHandler)
}

// closeConn closes a connection. If reset is true and it is a TCP connection, it is reset.
func closeConn(conn net.Conn, reset bool) {
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	// The connection may be closed already.
	_ = conn.Close()
}
