package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// FreePorts returns TCP ports of the loopback interface that nobody uses, and that no system gives to outgoing
// connections: a server that was ended must find its port again.
func FreePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for tries := 0; len(ports) < n; tries++ {
		port := 10_000 + rand.IntN(20_000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		switch {
		case err == nil:
			defer l.Close()
			ports = append(ports, port)
		case tries > 100:
			t.Fatal(err)
		}
	}
	return ports
}
