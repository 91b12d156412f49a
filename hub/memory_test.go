package hub_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// TestReaderIsSmall: a reader that waits takes no more than 20 KB, the test's end of the connection included.
func TestReaderIsSmall(t *testing.T) {
	const readers = 300
	h := offline(t, hub.Options{}, 100)
	front := httptest.NewServer(h)
	defer front.Close()
	defer h.Close()
	lines := bufio.NewReader(nil)
	read := func() net.Conn {
		conn, err := net.Dial("tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\nAuthorization: %s\r\n\r\n", testkit.Key)
		lines.Reset(conn)
		for line := ""; !strings.HasSuffix(line, "}}}\n"); {
			if line, err = lines.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		return conn
	}
	defer read().Close() // so that there is what all share
	before := memory()
	for range readers {
		defer read().Close()
	}
	if each := int64(memory()-before) / readers; each > 20_000 {
		t.Errorf("%d bytes", each)
	} else {
		t.Logf("%d bytes", each)
	}
}
