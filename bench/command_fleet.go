package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
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

// A fleet is many clients of one server, all in this process.
type fleet struct {
	Time    time.Time `json:"time"`
	Machine machine   `json:"machine"`
	// Clients is how many there are, and Environments how many each of them knows. Together is how
	// many of them may be connecting at a time.
	Clients      int `json:"clients"`
	Environments int `json:"environments"`
	Together     int `json:"together"`
	// Synced is the time from the first Open until all have the configuration, Told the median of
	// those from a patch until the last of them has read it from its connection, and Closed that of
	// closing all of them, one after the other.
	Synced time.Duration `json:"synced"`
	Told   time.Duration `json:"told"`
	Closed time.Duration `json:"closed"`
	// Before is what the process took up at first, and Bare with as many connections that nobody
	// reads: what is more than that with clients is the clients'. Fresh is with clients that have
	// read nothing but the put, and Settled after some patches, one at a time, by which a client
	// sees how little room it needs. Left is after everything was closed.
	Before  usage.Usage `json:"before"`
	Bare    usage.Usage `json:"bare"`
	Fresh   usage.Usage `json:"fresh"`
	Settled usage.Usage `json:"settled"`
	Left    usage.Usage `json:"left"`
}

// runFleet is the command fleet.
func runFleet(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := fleet{Time: time.Now().UTC(), Machine: thisMachine()}
	flags := flag.NewFlagSet("bench fleet", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&f.Clients, "clients", 10_000, "how many clients; the system may allow fewer")
	flags.IntVar(&f.Environments, "environments", 10, "how many environments each of them knows")
	flags.IntVar(&f.Together, "together", 250, "how many clients may be connecting at a time")
	out := flags.String("out", "", "directory for results (default a new one in results of this module)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if f.Clients < 1 || f.Environments < 1 || f.Together < 1 {
		return errors.New("clients, environments and together must be at least 1")
	}
	// Both ends of a connection are in this process. Go has raised the soft limit to the hard one.
	const others = 100
	if most := (maxDescriptors() - others) / 2; f.Clients > most {
		fmt.Fprintf(stderr, "%d clients are too many for the limit of file descriptors: %d instead\n", f.Clients, most)
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
	text, err := json.MarshalIndent(f, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "fleet.json"), append(text, '\n'), 0o644)
}

func (f *fleet) run(ctx context.Context, say func(string)) error {
	f.Before = usage.AtRest()
	say("connections without clients")
	// A server remembers all requests: each part has its own.
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

// all calls do for every client, for some of them at a time.
func (f *fleet) all(do func(i int) error) error {
	errs := make([]error, f.Clients)
	next := make(chan int)
	var working sync.WaitGroup
	for range min(f.Together, f.Clients) {
		working.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range f.Clients {
		next <- i
	}
	close(next)
	working.Wait()
	return errors.Join(errs...)
}

// bare measures connections that ask as a client does, read the put and then do nothing. No goroutine
// and no buffer of this side is left with them.
func (f *fleet) bare(server *autoconfigtest.Server) error {
	conns := make([]net.Conn, f.Clients)
	err := f.all(func(i int) (err error) {
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
	err := f.all(func(i int) (err error) {
		if clients[i], err = autoconfig.Open(ctx, fleetKey, &autoconfig.Options{BaseURI: server.URL}); err != nil {
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

// tell sends patches, one at a time.
func (f *fleet) tell(ctx context.Context, server *autoconfigtest.Server, clients []*autoconfig.Client) error {
	const patches, limit = 20, time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var e decode.EnvironmentRep
	for _, e = range server.Content().Environments {
		break // any will do
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

// awaitPatches returns when every client has read n patches since its first put, and says when the last of
// them read: by the clients' own clocks, and not by when that was seen here. Looking takes time on the
// processors that the clients need, though, a little for each of them. A subscriber of each client would
// take more, and memory that is not the client's.
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
