package fleet_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/snippets"
	"github.com/relaystream/autoconfig/internal/testkit"
)

func Example() {
	service := autoconfigtest.NewServer("auto-config-key")
	defer service.Close()
	service.Put(testkit.Listing(testkit.Environment("env1", 1)))
	broker, stop := startNATS()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := publishAndFollow(ctx, broker.ClientURL(), "auto-config-key", &autoconfig.Options{BaseURI: service.URL}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// environment added: env1 (Project Env env1) version 1
	// synced
}

func publishAndFollow(ctx context.Context, url string, key autoconfig.AutoConfigKey, options *autoconfig.Options) error {
	nc, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}

	// Any number of processes publish: one of them holds the lease, the others stand by.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	published := make(chan error, 1)
	go func() { published <- fleet.Publish(ctx, js, key, autoconfig.Observe(key, options), nil) }()

	// Every member follows.
	client, err := autoconfig.Open(ctx, key, &autoconfig.Options{Source: fleet.Source(js, key, nil)})
	if err != nil {
		return err
	}
	defer client.Close()
	for change, err := range client.Changes().All(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(change)
		if change.Kind == autoconfig.Synced {
			break
		}
	}

	cancel()
	<-published // the lease has been given up
	return nil
}

// startNATS starts a NATS server with its data in a directory of its own, until stop is called. It panics if that is not
// possible.
func startNATS() (s *server.Server, stop func()) {
	directory, err := os.MkdirTemp("", "fleet")
	if err != nil {
		panic(err)
	}
	s, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: directory, NoSigs: true, NoLog: true})
	if err != nil {
		panic(err)
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		panic("the NATS server does not start")
	}
	return s, func() {
		s.Shutdown()
		s.WaitForShutdown()
		_ = os.RemoveAll(directory)
	}
}

// TestReadmeIsCode: the code in the README is that of the example.
func TestReadmeIsCode(t *testing.T) {
	document, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := snippets.Blocks(string(document), "go")
	missing, err := snippets.Missing(blocks, "example_test.go")
	if err != nil || len(blocks) == 0 || len(missing) > 0 {
		t.Error(err, missing)
	}
}
