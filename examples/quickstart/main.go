// Quickstart plays a day of configuration changes in a few seconds, with a server on the loopback
// interface, and prints what an observable and a MessageHandler receive.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const key = "auto-config-key-of-the-quickstart"
	server := autoconfigtest.NewServer(key)
	defer server.Close()
	out := &printer{start: time.Now()}

	// An observable: one client, any number of subscribers. The log would repeat what they print.
	options := &autoconfig.Options{BaseURI: server.URL, Logger: slog.New(slog.DiscardHandler)}
	client, err := autoconfig.Open(ctx, key, options)
	if err != nil {
		return err
	}
	defer client.Close()
	var subscribers sync.WaitGroup
	subscribers.Go(func() { printChanges(ctx, client, out) })
	subscribers.Go(func() { printStatus(ctx, client, out) })

	// A MessageHandler: the calls that Relay's own StreamManager makes.
	handler := newRecorder(out)
	manager := autoconfig.NewStreamManager(key, server.URL, handler, nil, 100*time.Millisecond, ldlog.NewDisabledLoggers())
	defer manager.Close()
	manager.Start()

	if err := (&day{server, client, handler, out}).play(ctx); err != nil {
		return err
	}
	manager.Close()
	client.Close()
	subscribers.Wait()
	stats := client.Stats()
	out.print("done", "%d connections, %d changes applied, %d stale messages, %d malformed events",
		stats.Connections, stats.State.Applied, stats.State.Stale, stats.Malformed)
	return nil
}

// printChanges prints every change and, for an update, the fields that differ.
func printChanges(ctx context.Context, client *autoconfig.Client, out *printer) {
	for change, err := range client.Changes().All(ctx) {
		if err != nil {
			out.print("observable", "ended: %v", err)
			return
		}
		out.print("observable", "%v", change)
		if change.Kind == autoconfig.EnvironmentUpdated {
			for _, field := range change.Fields() {
				out.print("", "    %s: %q -> %q", field.Path, field.Old, field.New)
			}
		}
	}
}

func printStatus(ctx context.Context, client *autoconfig.Client, out *printer) {
	for status := range client.Status().All(ctx) {
		switch {
		case status.State != autoconfig.Interrupted:
			out.print("status", "%v", status.State)
		case status.NextAttempt.IsZero():
			out.print("status", "connecting again")
		default:
			out.print("status", "%v: %v", status.State, status.Err)
		}
	}
}

// A printer prints lines with the time since the start. It is safe for concurrent use.
type printer struct {
	mu    sync.Mutex
	start time.Time
}

func (p *printer) print(who, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(os.Stdout, "%6.3fs  %-11s %s\n", time.Since(p.start).Seconds(), who, fmt.Sprintf(format, args...))
}
