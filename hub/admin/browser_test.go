package admin_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/hub/admin"
	"github.com/relaystream/autoconfig/hub/internal/browser"
	"github.com/relaystream/autoconfig/internal/testkit"
)

const (
	live = `document.getElementById('link')?.dataset.link === 'live'`
	form = `document.querySelector('form.sign-in') !== null`
)

// listen serves a handler at an address of 127.0.0.1 until the test ends or stop is called, and returns its port.
func listen(t *testing.T, address string, h http.Handler) (port string, stop func()) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server, done := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}, make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	stop = func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		done <- http.ErrServerClosed // for the next call
	}
	t.Cleanup(stop)
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, stop
}

// TestBrowserSignsIn enters a wrong token and the right one, over a name for which browsers say less than for localhost;
// restarts the hub; and restarts it with another token.
func TestBrowserSignsIn(t *testing.T) {
	a, _, _ := open(t, &admin.Options{Token: goodToken})
	port, stop := listen(t, fmt.Sprint("127.0.0.1:", testkit.FreePorts(t, 1)[0]), a)
	tab := browser.Open(t)
	tab.Go("http://hub.example:" + port + "/")
	tab.Await(form)
	tab.Type("input[name=token]", string(goodToken)+"x")
	tab.Press("Enter")
	tab.Await(form + ` && document.querySelector('[role=alert]') !== null`)
	tab.Type("input[name=token]", string(goodToken))
	tab.Click("button")
	tab.Await(live)
	if seen := tab.Eval(`[location.href, document.cookie]`); strings.Contains(seen, string(goodToken[:12])) || !strings.HasSuffix(seen, `/",""]`) {
		t.Errorf("scripts see %s", seen)
	}

	stop()
	tab.Await(`!(` + live + `)`)
	a, _, _ = open(t, &admin.Options{Token: goodToken})
	_, stop = listen(t, "127.0.0.1:"+port, a)
	tab.Await(live)

	stop()
	tab.Await(`!(` + live + `)`)
	a, _, _ = open(t, &admin.Options{Token: goodToken + "-2"})
	listen(t, "127.0.0.1:"+port, a)
	tab.Await(form)
	for _, problem := range tab.Problems() {
		t.Error(problem)
	}
}

// TestBrowserIsNotReboundToLoopback visits the hub under a name that somebody else may have made lead to it.
func TestBrowserIsNotReboundToLoopback(t *testing.T) {
	a, _, _ := open(t, nil)
	port, _ := listen(t, "127.0.0.1:0", a)
	tab := browser.Open(t)
	tab.Go("http://evil.example:" + port + "/")
	tab.Await(`document.body.textContent.includes('unknown host name')`)
	tab.Go("http://localhost:" + port + "/")
	tab.Await(live)
}
