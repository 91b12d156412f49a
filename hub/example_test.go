package hub_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub"
)

// A hub between the service, which a test server stands in for, and a client that knows only the hub. The server's limits
// are for clients that send their header slowly, keep idle connections or send large headers; what readers may do is
// bounded by the hub's own options.
func Example() {
	service := autoconfigtest.NewServer("rel-key")
	defer service.Close()
	service.Put(autoconfig.PutContent{Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{
		"env1": {EnvID: "env1", EnvName: "Production", ProjName: "Shop", Version: 1},
	}})

	ctx := context.Background()
	client, err := autoconfig.Open(ctx, "rel-key", &autoconfig.Options{BaseURI: service.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{"rel-key"}})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Close()
	defer h.Close() // which http.Server does not do; h.Shutdown lets readers go one by one

	reader, err := autoconfig.Open(ctx, "rel-key", &autoconfig.Options{BaseURI: "http://" + listener.Addr().String()})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	for change := range reader.Changes().All(ctx) {
		fmt.Println(change)
		if change.Kind == autoconfig.Synced {
			break
		}
	}
	// Output:
	// environment added: env1 (Shop Production) version 1
	// synced
}
