package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/relaystream/autoconfig/bench/usage"
)

// A natsFleet is what a fleet with a publisher, a NATS server and members costs: the members in this process, the others in another.
type natsFleet struct {
	Time    time.Time `json:"time"`
	Machine machine   `json:"machine"`
	// Environments is the number of environments that each member knows, and Load that of the cases that measure
	// the initial load.
	Environments int `json:"environments"`
	Load         int `json:"load"`
	// Patches is the number of patches that are sent at full speed to one member. More members get fewer.
	Patches int `json:"patches"`
	// Together is the largest number of members that connect at the same time.
	Together int `json:"together"`
	// Idle is for how long nothing happens, to measure what that takes.
	Idle time.Duration `json:"idle"`
	// Cases are the measurements, by the number of members.
	Cases []natsCase `json:"cases"`
}

// A natsCase is what was measured with a number of members.
type natsCase struct {
	Members int `json:"members"`
	// Synced is the time from the service's write of a put, with all environments new, until all members have it.
	Synced time.Duration `json:"synced"`
	// Told50, Told99 and Told are quantiles of the time from the service's write of a patch until a member has it,
	// one patch at a time; Told is the maximum.
	Told50 time.Duration `json:"told50"`
	Told99 time.Duration `json:"told99"`
	Told   time.Duration `json:"told"`
	// Rate is how many patches a second go through the bucket at full speed until all members have the last, and
	// Read how many of them a member reads: an entry that is replaced before it was sent is not.
	Rate float64 `json:"rate"`
	Read float64 `json:"read"`
	// Loaded is the time until all members that connect to a full bucket have natsFleet.Load environments; 0 if that
	// was not measured.
	Loaded time.Duration `json:"loaded"`
	// Entry is the mean size in bytes of an entry in the bucket, with its subject and headers.
	Entry uint64 `json:"entry"`
	// PutMembers and PutServer are the processor time of the put with all environments new, in the members' process and
	// in the other. IdleMembers and IdleServer are the shares of a processor while nothing happens.
	PutMembers  time.Duration `json:"putMembers"`
	PutServer   time.Duration `json:"putServer"`
	IdleMembers float64       `json:"idleMembers"`
	IdleServer  float64       `json:"idleServer"`
	// Before is the usage of the members' process without members, Bare with as many connections to NATS, Settled with
	// members, and Left when they have left. The others are those of the NATS server and the publisher.
	Before        usage.Usage `json:"before"`
	Bare          usage.Usage `json:"bare"`
	Settled       usage.Usage `json:"settled"`
	Left          usage.Usage `json:"left"`
	ServerBefore  usage.Usage `json:"serverBefore"`
	ServerSettled usage.Usage `json:"serverSettled"`
	ServerLeft    usage.Usage `json:"serverLeft"`
}

// runNATSFleet is the command fleet-nats.
func runNATSFleet(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := natsFleet{Time: time.Now().UTC(), Machine: thisMachine()}
	flags := flag.NewFlagSet("bench fleet-nats", flag.ContinueOnError)
	flags.SetOutput(stderr)
	members := flags.String("members", "1,10,100,1000", "comma-separated numbers of members")
	flags.IntVar(&f.Environments, "environments", 1000, "number of environments that each member knows")
	flags.IntVar(&f.Load, "load", 10_000, "number of environments of the initial load")
	most := flags.Int("load-members", 100, "largest number of members whose initial load is measured; each of 10,000 environments takes some megabytes")
	flags.IntVar(&f.Patches, "patches", 100_000, "patches at full speed to one member")
	flags.IntVar(&f.Together, "together", 100, "largest number of members that connect at the same time")
	flags.DurationVar(&f.Idle, "idle", 10*time.Second, "how long to measure what idle members take")
	out := flags.String("out", "", "directory for results (default a new one in results of this module)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	numbers, err := f.numbers(*members)
	if err != nil {
		return err
	}
	dir, err := resultsIn(*out)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, f.Machine)
	line := newProgress(stderr)
	for _, n := range numbers {
		c, err := f.measure(ctx, n, n <= *most, line.say)
		line.clear()
		if err != nil {
			return err
		}
		f.Cases = append(f.Cases, c)
	}
	f.print(stdout)
	return writeJSON(dir, "fleet-nats.json", f)
}

// numbers returns the numbers of members.
func (f *natsFleet) numbers(list string) (all []int, err error) {
	if f.Environments < 1 || f.Load < 1 || f.Patches < 1 || f.Together < 1 {
		return nil, errors.New("environments, load, patches and together must be at least 1")
	}
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(field)
		// Both ends of each connection are in this process.
		if most := (maxDescriptors() - 200) / 2; err != nil || n < 1 || n > most {
			return nil, fmt.Errorf("members: %q is not a number from 1 to %d, which the limit of file descriptors allows", field, most)
		}
		all = append(all, n)
	}
	return all, nil
}

// measure measures one case.
func (f *natsFleet) measure(ctx context.Context, members int, load bool, say func(string)) (c natsCase, err error) {
	c.Members = members
	say(fmt.Sprintf("%d members", members))
	err = inNATSWorld(ctx, f.Environments, f.Together, func(w *natsWorld) error { return w.measure(ctx, &c, f.Patches, f.Idle) })
	if err != nil || !load {
		return c, err
	}
	say(fmt.Sprintf("%d members load %d environments", members, f.Load))
	return c, inNATSWorld(ctx, f.Load, f.Together, func(w *natsWorld) error {
		if _, err := w.fill(ctx); err != nil {
			return err
		}
		start := time.Now()
		if err := w.join(ctx, members); err != nil {
			return err
		}
		c.Loaded = time.Since(start)
		return nil
	})
}

func (f *natsFleet) print(w io.Writer) {
	fmt.Fprintf(w, "\n%d environments, a connection for each member; all members in one process, NATS server and publisher in another\n", f.Environments)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range []struct {
		name  string
		value func(natsCase) string
	}{
		{"members", func(c natsCase) string { return number(float64(c.Members)) }},
		{"all have a put after, ms", func(c natsCase) string { return short(c.Synced.Seconds() * 1e3) }},
		{"a member has a patch after, p50, ms", func(c natsCase) string { return short(c.Told50.Seconds() * 1e3) }},
		{"p99, ms", func(c natsCase) string { return short(c.Told99.Seconds() * 1e3) }},
		{"last, ms", func(c natsCase) string { return short(c.Told.Seconds() * 1e3) }},
		{"patches a second", func(c natsCase) string { return short(c.Rate) }},
		{"of which a member reads", func(c natsCase) string { return short(c.Read) }},
		{fmt.Sprintf("all have loaded %d environments after, ms", f.Load), func(c natsCase) string {
			if c.Loaded == 0 {
				return ""
			}
			return short(c.Loaded.Seconds() * 1e3)
		}},
		{"an entry of the bucket, bytes", func(c natsCase) string { return number(float64(c.Entry)) }},
		{"processor time of the put: members, ms", func(c natsCase) string { return short(c.PutMembers.Seconds() * 1e3) }},
		{"NATS server and publisher, ms", func(c natsCase) string { return short(c.PutServer.Seconds() * 1e3) }},
		{"idle, of a processor: members, %", func(c natsCase) string { return short(c.IdleMembers * 100) }},
		{"NATS server and publisher, %", func(c natsCase) string { return short(c.IdleServer * 100) }},
		{"a member: heap, bytes", perMember(heap, ofMember)},
		{"stacks, bytes", perMember(stacks, ofMember)},
		{"goroutines", perMember(goroutines, ofMember)},
		{"its connection: heap, bytes", perMember(heap, ofConnection)},
		{"stacks, bytes", perMember(stacks, ofConnection)},
		{"goroutines", perMember(goroutines, ofConnection)},
		{"connections", perMember(descriptors, ofConnection)},
		{"at the server: heap, bytes", perMember(heap, atServer)},
		{"stacks, bytes", perMember(stacks, atServer)},
		{"goroutines", perMember(goroutines, atServer)},
	} {
		fmt.Fprintf(table, "%s\t", row.name)
		for _, c := range f.Cases {
			fmt.Fprintf(table, "%s\t", row.value(c))
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush() // as with any other output
}

func heap(u usage.Usage) float64        { return float64(u.Heap) }
func stacks(u usage.Usage) float64      { return float64(u.Stacks) }
func goroutines(u usage.Usage) float64  { return float64(u.Goroutines) }
func descriptors(u usage.Usage) float64 { return float64(u.Descriptors) }

// perMember returns what a member uses: nothing for fewer than ten, of whom what else the process uses is the most.
func perMember(value func(usage.Usage) float64, part func(natsCase, func(usage.Usage) float64) float64) func(natsCase) string {
	return func(c natsCase) string {
		if c.Members < 10 {
			return ""
		}
		return short(part(c, value) / float64(c.Members))
	}
}

// ofMember returns what members use beyond their connections.
func ofMember(c natsCase, value func(usage.Usage) float64) float64 {
	return value(c.Settled) - value(c.Left) - ofConnection(c, value)
}

// ofConnection returns what connections use.
func ofConnection(c natsCase, value func(usage.Usage) float64) float64 {
	return value(c.Bare) - value(c.Before)
}

// atServer returns what connections and consumers of members use in the NATS server.
func atServer(c natsCase, value func(usage.Usage) float64) float64 {
	return value(c.ServerSettled) - value(c.ServerLeft)
}
