package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/bench/usage"
	"github.com/relaystream/autoconfig/decode"
)

const fleetKey = "rel-00000000-0000-4000-8000-000000000000"

// A fleet is many clients of one server, all in this process, and what they cost.
type fleet struct {
	Time    time.Time `json:"time"`
	Machine machine   `json:"machine"`
	// Clients is the number of clients, and Environments the number of environments that each of
	// them knows.
	Clients      int `json:"clients"`
	Environments int `json:"environments"`
	// Together is the largest number of clients that connect at the same time.
	Together int `json:"together"`
	// Synced is the time from the first Open until all clients have the configuration.
	Synced time.Duration `json:"synced"`
	// Told is the median time from a patch until the last client has read it.
	Told time.Duration `json:"told"`
	// Closed is the time to close all clients, one after the other.
	Closed time.Duration `json:"closed"`
	// Before is the usage at the start.
	Before usage.Usage `json:"before"`
	// Bare is the usage with as many connections without clients: what clients use beyond that is
	// their own.
	Bare usage.Usage `json:"bare"`
	// Fresh is the usage with clients that have read only the put.
	Fresh usage.Usage `json:"fresh"`
	// Settled is the usage after some patches, one at a time, which let the clients shrink their
	// buffers.
	Settled usage.Usage `json:"settled"`
	// Left is the usage after everything was closed.
	Left usage.Usage `json:"left"`
}

// runFleet is the command fleet.
func runFleet(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := fleet{Time: time.Now().UTC(), Machine: thisMachine()}
	flags := flag.NewFlagSet("bench fleet", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&f.Clients, "clients", 10_000, "number of clients; the system may allow fewer")
	flags.IntVar(&f.Environments, "environments", 10, "number of environments that each client knows")
	flags.IntVar(&f.Together, "together", 250, "largest number of clients that connect at the same time")
	out := flags.String("out", "", "directory for results (default a new one in results of this module)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if f.Clients < 1 || f.Environments < 1 || f.Together < 1 {
		return errors.New("clients, environments and together must be at least 1")
	}
	// Both ends of each connection are in this process. Go has raised the soft limit to the hard one.
	const others = 100
	if most := (maxDescriptors() - others) / 2; f.Clients > most {
		fmt.Fprintf(stderr, "the limit of file descriptors does not allow %d clients: %d instead\n", f.Clients, most)
		f.Clients = most
	}
	dir, err := resultsIn(*out)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, f.Machine)
	line := newProgress(stderr)
	err = f.run(ctx, line.say)
	line.clear()
	if err != nil {
		return err
	}
	f.print(stdout)
	return writeJSON(dir, "fleet.json", f)
}

func (f *fleet) run(ctx context.Context, say func(string)) error {
	f.Before = usage.AtRest()
	say("connections without clients")
	// A server keeps all requests, so each part has a server of its own.
	if err := f.serve(f.bare); err != nil {
		return err
	}
	say("clients")
	if err := f.serve(func(server *autoconfigtest.Server) error { return f.clients(ctx, server) }); err != nil {
		return err
	}
	f.Left = usage.AtRest()
	return nil
}

func (f *fleet) serve(part func(*autoconfigtest.Server) error) error {
	server := autoconfigtest.NewServer(fleetKey)
	defer server.Close()
	cfg := synth.Default()
	cfg.Environments = f.Environments
	server.Put(decode.PutContent{Environments: synth.New(cfg).Environments()})
	return part(server)
}

// allOf calls do n times, at most together at the same time.
func allOf(n, together int, do func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var working sync.WaitGroup
	for range min(together, n) {
		working.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	working.Wait()
	return errors.Join(errs...)
}

// bare measures connections that send the request of a client, read the put and then do nothing. They keep
// no goroutine and no buffer on this side.
func (f *fleet) bare(server *autoconfigtest.Server) error {
	conns := make([]net.Conn, f.Clients)
	err := allOf(f.Clients, f.Together, func(i int) (err error) {
		conns[i], err = connectBare(server.URL)
		return err
	})
	f.Bare = usage.AtRest()
	for _, c := range conns {
		if c != nil {
			_ = c.Close()
		}
	}
	return err
}

func connectBare(url string) (net.Conn, error) {
	request, err := http.NewRequest(http.MethodGet, url+"/relay_auto_config?rpacProtocolVersion=2", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", fleetKey)
	request.Header.Set("Accept", "text/event-stream")
	conn, err := net.Dial("tcp", request.URL.Host)
	if err != nil {
		return nil, err
	}
	if err := request.Write(conn); err != nil {
		return conn, err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return conn, err
	}
	body := bufio.NewReader(response.Body)
	for {
		// An empty line ends the put.
		if text, err := body.ReadString('\n'); err != nil || text == "\n" {
			return conn, err
		}
	}
}

// clients measures clients with default options.
func (f *fleet) clients(ctx context.Context, server *autoconfigtest.Server) error {
	clients := make([]*autoconfig.Client, f.Clients)
	start := time.Now()
	err := allOf(f.Clients, f.Together, func(i int) (err error) {
		if clients[i], err = autoconfig.Open(ctx, fleetKey, &autoconfig.Options{BaseURI: server.URL, Logger: slog.New(slog.DiscardHandler)}); err != nil {
			return err
		}
		return clients[i].Ready(ctx)
	})
	f.Synced = time.Since(start)
	if err == nil {
		f.Fresh = usage.AtRest()
		err = f.tell(ctx, server, clients)
		f.Settled = usage.AtRest()
	}
	start = time.Now()
	for _, c := range clients {
		if c != nil {
			c.Close()
		}
	}
	f.Closed = time.Since(start)
	return err
}

// tell sends patches, one at a time, and waits until all clients have read each.
func (f *fleet) tell(ctx context.Context, server *autoconfigtest.Server, clients []*autoconfig.Client) error {
	const patches, limit = 20, time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var e decode.EnvironmentRep
	for _, e = range server.Content().Environments {
		break // any
	}
	var took []float64
	for n := range patches {
		e.Version++
		start := time.Now()
		server.Patch(e)
		last, err := awaitPatches(ctx, clients, uint64(1+n))
		if err != nil {
			return err
		}
		took = append(took, float64(last.Sub(start)))
	}
	f.Told = time.Duration(spreadOf(took).Median)
	return nil
}

// awaitPatches waits until every client has read n patches since its first put, and returns the time at
// which the last of them did, as the clients recorded it. Polling takes some processor time from the
// clients. A subscriber for each client would take more, and memory besides.
func awaitPatches(ctx context.Context, clients []*autoconfig.Client, n uint64) (last time.Time, err error) {
	for _, c := range clients {
		stats := c.Stats()
		for ; stats.State.Patches < n; stats = c.Stats() {
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				return last, context.Cause(ctx)
			}
		}
		if stats.LastRead.After(last) {
			last = stats.LastRead
		}
	}
	return last, nil
}

func (f *fleet) print(w io.Writer) {
	fmt.Fprintf(w, "\n%d clients with %d environments each: synced after %v, a patch read by all within %v, closed within %v\n",
		f.Clients, f.Environments, f.Synced.Round(time.Millisecond), f.Told.Round(time.Millisecond), f.Closed.Round(time.Millisecond))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\ta client\tafter the put\ta connection without client\tleft in all\t\n")
	for _, row := range []struct {
		name  string
		value func(usage.Usage) float64
	}{
		{"heap, bytes", func(u usage.Usage) float64 { return float64(u.Heap) }},
		{"stacks, bytes", func(u usage.Usage) float64 { return float64(u.Stacks) }},
		{"resident, bytes", func(u usage.Usage) float64 { return float64(u.Resident) }},
		{"goroutines", func(u usage.Usage) float64 { return float64(u.Goroutines) }},
		{"file descriptors", func(u usage.Usage) float64 { return float64(u.Descriptors) }},
	} {
		n := float64(f.Clients)
		before, bare, fresh, settled := row.value(f.Before), row.value(f.Bare), row.value(f.Fresh), row.value(f.Settled)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%+.0f\t\n", row.name,
			short((settled-bare)/n), short((fresh-bare)/n), short((bare-before)/n), row.value(f.Left)-before)
	}
	_ = table.Flush() // as with any other output
}
