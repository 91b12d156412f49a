package soak

import (
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/relaystream/autoconfig/autoconfigtest"
)

// answer returns the fault of one request, nil for none, and its name. alters says that the fault may change
// what a client ends up with, and not only when. No fault keeps a client away for minutes, as a rejected
// key would.
func answer(rng *rand.Rand) (fault autoconfigtest.Fault, name string, alters bool) {
	n := rng.Int64N(1 << (3 + rng.IntN(15)))
	switch rng.IntN(33) {
	case 0:
		return autoconfigtest.Cut(n), fmt.Sprintf("cut at %d", n), false
	case 1:
		return autoconfigtest.Reset(n), fmt.Sprintf("reset at %d", n), false
	case 2:
		return autoconfigtest.Stall(n), fmt.Sprintf("stall at %d", n), false
	case 3:
		return autoconfigtest.End(n), fmt.Sprintf("end at %d", n), false
	case 4:
		return autoconfigtest.Corrupt(n), fmt.Sprintf("corrupt at %d", n), true
	case 5:
		return autoconfigtest.Repeat(n, n+1+n%97), fmt.Sprintf("repeat at %d", n), true
	case 6:
		return autoconfigtest.Swap(int(n % 4)), fmt.Sprintf("swap %d", n%4), true
	case 7:
		return autoconfigtest.Malformed(), "malformed", false
	case 8:
		return autoconfigtest.HugeEvent(maxEventSize + n), "huge event", false
	case 9:
		return autoconfigtest.Hang(), "hang", false
	case 10:
		return autoconfigtest.Status(http.StatusServiceUnavailable), "status 503", false
	case 11:
		return autoconfigtest.Header("Content-Type", "text/html"), "content type", false
	default:
		return nil, "", false
	}
}

// act makes the server do something to all connections, and returns its name.
func act(server *autoconfigtest.Server, rng *rand.Rand) string {
	switch rng.IntN(5) {
	case 0:
		server.CloseConnections()
		return "close connections"
	case 1:
		server.EndConnections()
		return "end connections"
	case 2:
		server.Reconnect()
		return "reconnect"
	case 3:
		server.SendEvent("patch", `{"path":`)
		return "malformed patch"
	default:
		server.Put(server.Content())
		return "put"
	}
}
