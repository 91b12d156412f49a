package page_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/page"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A stage is a service, and a page that shows it at an address.
type stage struct {
	t       testing.TB
	service *autoconfigtest.Server
	readers []hub.Reader
	options *page.Options

	address string // of the page, the same after a restart
	client  *autoconfig.Client
	page    *page.Page
	server  *http.Server
	served  chan error
}

func newStage(t testing.TB, set func(*stage)) *stage {
	t.Helper()
	s := &stage{t: t, service: autoconfigtest.NewServer(testkit.Key), address: fmt.Sprint("127.0.0.1:", testkit.FreePorts(t, 1)[0])}
	t.Cleanup(s.service.Close)
	if set != nil {
		set(s)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *stage) url() string { return "http://" + s.address + "/" }

// start opens the client and the page.
func (s *stage) start() {
	s.t.Helper()
	var err error
	o := testkit.To(s.service)
	o.Logger = testkit.Censored(s.t)
	if s.client, err = autoconfig.Open(context.Background(), testkit.Key, o); err != nil {
		s.t.Fatal(err)
	}
	if s.page, err = page.New(s.client, func() []hub.Reader { return s.readers }, s.options); err != nil {
		s.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.server, s.served = &http.Server{Handler: s.page, ReadHeaderTimeout: time.Minute}, make(chan error, 1)
	go func(server *http.Server) { s.served <- server.Serve(listener) }(s.server)
}

// stop is the end of the hub's process.
func (s *stage) stop() {
	s.t.Helper()
	_ = s.server.Close()
	s.page.Close()
	s.client.Close()
	if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
		s.t.Error(err)
	}
}

// made-up content, of the given number of environments.
func content(n int) autoconfig.PutContent {
	projects := []string{"Checkout", "Mobile App", "Search", "Payments", "Accounts", "Recommendations", "Notifications", "Warehouse"}
	stages := []string{"Production", "Staging", "Test", "Development"}
	all := autoconfig.PutContent{Environments: make(map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep), Filters: make(map[autoconfig.FilterID]autoconfig.FilterRep)}
	for i := range n {
		e := environment(i, projects[i/len(stages)%len(projects)], stages[i%len(stages)])
		all.Environments[e.EnvID] = e
	}
	for i, name := range []string{"eu-only", "without-experiments"} {
		all.Filters[autoconfig.FilterID(fmt.Sprintf("filter-%d", i))] = autoconfig.FilterRep{ProjKey: "checkout", FilterKey: name, Version: 3 + i}
	}
	return all
}

func environment(i int, project, name string) autoconfig.EnvironmentRep {
	key := func(s string) string {
		b := []byte(s)
		for i, c := range b {
			if c == ' ' {
				b[i] = '-'
			} else if c < 'a' {
				b[i] = c + 'a' - 'A'
			}
		}
		return string(b)
	}
	if i >= 32 {
		project = fmt.Sprintf("%s %d", project, 1+i/32)
	}
	e := autoconfig.EnvironmentRep{
		EnvID:  autoconfig.EnvironmentID(fmt.Sprintf("%08x%04x", uint32(i+1)*2654435761, i)),
		EnvKey: key(name), EnvName: name, ProjKey: key(project), ProjName: project, Version: 10 + i*7%40,
		SDKKey: autoconfig.SDKKeyRep{Value: autoconfig.SDKKey(fmt.Sprintf("sdk-SECRETSECRET-%08x", uint32(i)*40503+77))},
		MobKey: autoconfig.MobileKey(fmt.Sprintf("mob-SECRETSECRET-%08x", uint32(i)*9973+4242)),
	}
	e.SecureMode = name == "Production"
	if i%3 == 0 {
		e.DefaultTTL = 5
	}
	return e
}
