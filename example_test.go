package autoconfig_test

import (
	"context"
	"fmt"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/stream"
)

// serve returns a server with one environment.
func serve(key string) *autoconfigtest.Server {
	srv := autoconfigtest.NewServer(key)
	e := autoconfig.EnvironmentRep{EnvID: "e1", ProjName: "Shop", EnvName: "Production", Version: 1}
	e.SDKKey.Value = "sdk-00000000-1234"
	srv.Put(autoconfig.PutContent{Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{"e1": e}})
	return srv
}

// A subscription is a connection. This one is left when there is a complete configuration.
func ExampleObserve() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv := serve("rel-key")
	defer srv.Close()

	changes := autoconfig.Observe("rel-key", &autoconfig.Options{BaseURI: srv.URL})
	for change, err := range changes.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(change)
		if change.Kind == autoconfig.Synced {
			break
		}
	}
	// Output:
	// environment added: e1 (Shop Production) version 1
	// synced
}

// One connection for any number of subscribers. Each gets the state so far, and then what changes.
func ExampleOpen() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv := serve("rel-key")
	defer srv.Close()

	client, err := autoconfig.Open(ctx, "rel-key", &autoconfig.Options{BaseURI: srv.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	if err := client.Ready(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(client.Snapshot().Environments), "environment")

	for change, err := range client.Changes().All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(change)
		switch change.Kind {
		case autoconfig.Synced:
			srv.Delete("e1", 2) // what somebody does elsewhere
		case autoconfig.EnvironmentDeleted:
			client.Close() // completes the loop
		}
	}
	// Output:
	// 1 environment
	// environment added: e1 (Shop Production) version 1
	// synced
	// environment deleted: e1 (Shop Production) version 1
}

// Environments is a MessageHandler. Its methods are never called two at a time.
type Environments map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams

func (e Environments) AddEnvironment(p autoconfig.EnvironmentParams) {
	fmt.Println("add", string(p.EnvID), p.Identifiers.EnvName)
	e[p.EnvID] = p
}

func (e Environments) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	fmt.Println("update", string(p.EnvID), p.Identifiers.EnvName)
	e[p.EnvID] = p
}

func (e Environments) DeleteEnvironment(id autoconfig.EnvironmentID) {
	fmt.Println("delete", string(id))
	delete(e, id)
}

func (e Environments) KeyExpired(id autoconfig.EnvironmentID, oldKey autoconfig.SDKKey) {
	fmt.Println(oldKey, "of", string(id), "has expired") // masked
}

func (e Environments) ReceivedAllEnvironments() { fmt.Println("received all") }

// Relay is a MessageHandler that tells when the configuration is complete for the first time.
type Relay struct {
	Environments
	complete chan struct{}
}

func (r Relay) ReceivedAllEnvironments() {
	r.Environments.ReceivedAllEnvironments()
	close(r.complete)
}

// In a Relay, this is the constructor to replace.
func ExampleNewStreamManager() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv := serve("rel-key")
	defer srv.Close()

	handler := Relay{make(Environments), make(chan struct{})}
	manager := autoconfig.NewStreamManager("rel-key", srv.URL, handler, nil, 0, ldlog.NewDisabledLoggers())
	defer manager.Close()
	ready := manager.Start()
	for complete := false; !complete; {
		select {
		case err := <-ready: // nil means that the stream is connected
			if err != nil {
				fmt.Println(err)
				return
			}
		case <-handler.complete:
			complete = true
		case <-ctx.Done():
			fmt.Println(ctx.Err())
			return
		}
	}
	manager.Close()
	fmt.Println(len(handler.Environments), "environment")
	// Output:
	// add e1 Production
	// received all
	// 1 environment
}

// A MessageHandler can be told of any changes: here of those of one project, until all are known.
func ExampleDispatch() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	srv := serve("rel-key")
	defer srv.Close()

	changes := autoconfig.Observe("rel-key", &autoconfig.Options{BaseURI: srv.URL})
	changes = stream.TakeWhile(changes, func(c autoconfig.Change) bool { return c.Kind != autoconfig.Synced })
	changes = stream.Filter(changes, func(c autoconfig.Change) bool { return c.New != nil && c.New.ProjName == "Shop" })
	err := autoconfig.Dispatch(ctx, changes, make(Environments))
	fmt.Println(err)
	// Output:
	// add e1 Production
	// <nil>
}

// A HandlerSource stands where a MessageHandler is expected, and can be observed.
func ExampleHandlerSource() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	source := autoconfig.NewHandlerSource()
	source.AddEnvironment(autoconfig.EnvironmentParams{EnvID: "e1"})
	source.ReceivedAllEnvironments()
	source.Close()

	err := source.Changes().ForEach(ctx, func(c autoconfig.Change) error {
		fmt.Println(c)
		return nil
	})
	fmt.Println(err)
	// Output:
	// environment added: e1 ( ) version 1
	// synced
	// <nil>
}
