package serve

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// broker starts a NATS server, and returns its URL.
func broker(t *testing.T) string {
	t.Helper()
	return startBroker(t, &natsserver.Options{}).ClientURL()
}

// startBroker starts a NATS server with some options more than every test needs.
func startBroker(t *testing.T, o *natsserver.Options) *natsserver.Server {
	t.Helper()
	o.Host, o.Port, o.JetStream, o.StoreDir, o.NoSigs, o.NoLog = "127.0.0.1", -1, true, t.TempDir(), true, true
	s, err := natsserver.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server does not start")
	}
	return s
}

// TestFleet runs two hubs on one NATS server. The service has one connection, and readers of both get its configuration,
// also after the hub that was connected has left.
func TestFleet(t *testing.T) {
	service, nats := service(t), broker(t)
	first := start(t, "-stream-uri", service.URL, "-nats", nats)
	reader(t, first.address(), testkit.Key)
	second := start(t, "-stream-uri", service.URL, "-nats", nats)
	client := reader(t, second.address(), testkit.Key)
	changes := testkit.Watch(client.Changes())
	defer changes.Stop()
	changes.Await(t, 2) // added, synced

	service.Patch(testkit.Environment("e2", 1))
	if c := changes.Await(t, 1)[0]; c.Kind != autoconfig.EnvironmentAdded {
		t.Errorf("after a patch: %v", c)
	}
	if n := len(service.Requests()); n != 1 {
		t.Errorf("the service has had %d requests", n)
	}
	if status := first.end(); status != cli.Done {
		t.Fatalf("status %d: %s", status, first.stderr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := service.AwaitRequests(ctx, 2); err != nil {
		t.Fatalf("the other hub does not connect: %v", err)
	}
	service.Patch(testkit.Environment("e3", 1))
	if c := changes.Await(t, 1)[0]; c.Kind != autoconfig.EnvironmentAdded {
		t.Errorf("after a patch to the other hub: %v", c)
	}
}

// TestNATSOutOfReach serves the saved configuration while there is neither a NATS server nor a service.
func TestNATSOutOfReach(t *testing.T) {
	service, path := service(t), t.TempDir()+"/cache"
	first := start(t, "-stream-uri", service.URL, "-cache", path)
	reader(t, first.address(), testkit.Key)
	first.end()
	second := start(t, "-stream-uri", service.URL, "-cache", path, "-nats", "nats://127.0.0.1:1")
	if s := reader(t, second.address(), testkit.Key).Snapshot(); len(s.Environments) != 1 {
		t.Errorf("without NATS: %v", s)
	}
	second.await("(NATS cannot be reached)")
}

// TestNATSRejectsCredentials gives the server other credentials than the hub has, and then the same.
func TestNATSRejectsCredentials(t *testing.T) {
	options := &natsserver.Options{Username: "user", Password: "other"}
	server := startBroker(t, options)
	url := strings.Replace(server.ClientURL(), "://", "://user:password@", 1)
	r := start(t, "-stream-uri", service(t).URL, "-nats", url)
	r.await("(NATS rejects the credentials)")
	connections := func() uint64 {
		v, err := server.Varz(nil)
		if err != nil {
			t.Fatal(err)
		}
		return v.TotalConnections
	}
	for timeout := time.After(time.Minute); connections() < 3; { // the library gives up after two, unless it is told not to
		select {
		case <-time.After(10 * time.Millisecond):
		case <-timeout:
			t.Fatalf("the hub gives up: %s", r.stderr)
		}
	}
	options = options.Clone()
	options.Password = "password"
	if err := server.ReloadOptions(options); err != nil {
		t.Fatal(err)
	}
	reader(t, r.address(), testkit.Key)
	if n := strings.Count(r.stderr.String(), "NATS rejects"); n != 1 {
		t.Errorf("it says so %d times", n)
	}
}

// TestSecretOfBucket has a hub join whose secret is not that of the bucket.
func TestSecretOfBucket(t *testing.T) {
	service, nats, dir := service(t), broker(t), t.TempDir()
	file := func(secret string) string {
		path := filepath.Join(dir, secret)
		if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := start(t, "-stream-uri", service.URL, "-nats", nats, "-nats-secret-file", file("secret-of-the-bucket"))
	reader(t, first.address(), testkit.Key)
	if status := start(t, "-stream-uri", service.URL, "-nats", nats).wait(); status != cli.Failure {
		t.Errorf("without the secret: status %d", status)
	}
	reader(t, start(t, "-stream-uri", service.URL, "-nats", nats, "-nats-secret-file", file("secret-of-the-bucket")).address(), testkit.Key)
}

func TestNATSPasswordIsNotShown(t *testing.T) {
	for name, args := range map[string][]string{
		"a malformed URL":     {"-nats", "nats://user:pass word@127.0.0.1:1"},
		"no URL":              {"-nats", "password"},
		"no such credentials": {"-nats", "nats://user:password@127.0.0.1:1", "-nats-creds", "testdata/none"},
	} {
		r := start(t, append([]string{"-stream-uri", service(t).URL}, args...)...)
		if status := r.wait(); status != cli.Usage {
			t.Errorf("%s: status %d", name, status)
		}
		if text := r.stderr.String(); strings.Contains(text, "pass") || text == "" {
			t.Errorf("%s: it says %q", name, text)
		}
	}
}
