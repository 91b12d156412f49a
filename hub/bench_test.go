package hub_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

var benchReaders = flag.Int("readers", 500, "how many readers the benchmark has")

// readersOf names the environment variable that makes this program the readers of the address in it.
const readersOf = "AUTOCONFIG_BENCH_READERS_OF"

// BenchmarkReaders has readers, in a process of their own, get a put of 1,000 environments all at once, and then a patch per
// operation. It compares the hub with the handler that one writes first. The metrics are the memory of a waiting reader,
// the time from the first connection until all have their put, and when patches have reached all and 99 % of the readers.
func BenchmarkReaders(b *testing.B) {
	for name, handler := range map[string]func(b *testing.B, c *autoconfig.Client) http.Handler{"hub": hubOf, "obvious": obvious} {
		b.Run(name, func(b *testing.B) {
			changes := make(chan decode.Message)
			client := testkit.Open(b, &autoconfig.Options{Source: stream.FromChan(changes), Logger: slog.New(slog.DiscardHandler)})
			listing := &decode.Listing{}
			for i := range 1000 {
				e := testkit.Environment(autoconfig.EnvironmentID(fmt.Sprintf("%024x", i)), 1)
				listing.Environments = append(listing.Environments, decode.EnvironmentEntry{ID: e.EnvID, Version: 1, Rep: &e})
			}
			changes <- decode.Message{Kind: decode.Put, Put: listing}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			server := &http.Server{Handler: handler(b, client)}
			go func() { _ = server.Serve(listener) }()
			b.Cleanup(func() { _ = server.Close() })

			before := memory()
			readers := startReaders(b, listener.Addr().String())
			puts := readers.await(b)
			each := float64(memory()-before) / float64(*benchReaders)
			var worst, late time.Duration
			for version := 2; b.Loop(); version++ {
				e := testkit.Environment("000000000000000000000000", version)
				sent := time.Now()
				changes <- decode.Message{Kind: decode.Patch, Environment: decode.EnvironmentEntry{ID: e.EnvID, Version: version, Rep: &e}}
				patch := readers.await(b)
				worst, late = max(worst, patch.last.Sub(sent)), max(late, patch.p99.Sub(sent))
			}
			b.ReportMetric(each, "B/reader")
			b.ReportMetric(puts.last.Sub(puts.first).Seconds()*1e3, "put-ms")
			b.ReportMetric(worst.Seconds()*1e3, "all-ms")
			b.ReportMetric(late.Seconds()*1e3, "p99-ms")
		})
	}
}

func hubOf(b *testing.B, c *autoconfig.Client) http.Handler {
	h, err := hub.New(c, &hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(h.Close)
	return h
}

// obvious has a subscription and an encoder for each reader.
func obvious(_ *testing.B, c *autoconfig.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		put := autoconfig.PutMessageData{Path: "/", Data: testkit.Listing()}
		for change := range c.Changes().All(r.Context()) {
			event, data := "patch", any(nil)
			switch change.Kind {
			case autoconfig.EnvironmentAdded: // there are no others than those of the snapshot
				put.Data.Environments[change.New.EnvID] = *change.New
				continue
			case autoconfig.Synced:
				event, data = "put", put
				put = autoconfig.PutMessageData{}
			case autoconfig.EnvironmentUpdated:
				data = autoconfig.PatchMessageData{Path: "/environments/" + string(change.New.EnvID), Data: *change.New}
			}
			fmt.Fprintf(w, "event: %s\ndata: ", event)
			_ = json.NewEncoder(w).Encode(data)
			fmt.Fprint(w, "\n")
			w.(http.Flusher).Flush()
		}
	})
}

// memory returns the bytes of heap and stacks in use.
func memory() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// readerProcess is a process of readers, which writes a line for each event that all of them have.
type readerProcess struct{ lines *bufio.Reader }

// arrivals are when an event has come to the first reader, to 99 % and to all.
type arrivals struct{ first, p99, last time.Time }

func startReaders(b *testing.B, address string) *readerProcess {
	command := exec.Command(os.Args[0], fmt.Sprint("-readers=", *benchReaders))
	command.Env = append(os.Environ(), readersOf+"="+address)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return &readerProcess{bufio.NewReader(output)}
}

// await returns when the next event has come.
func (p *readerProcess) await(b *testing.B) arrivals {
	var first, p99, last int64
	if _, err := fmt.Fscanln(p.lines, &first, &p99, &last); err != nil {
		b.Fatal(err)
	}
	return arrivals{time.Unix(0, first), time.Unix(0, p99), time.Unix(0, last)}
}

// runReaders is the process of the readers. It ends when the server does, or after a minute without an event.
func runReaders(address string) {
	times := make(chan int64, *benchReaders)
	var ended sync.Once
	done := make(chan struct{})
	first := time.Now().UnixNano()
	for range *benchReaders {
		go func() {
			defer ended.Do(func() { close(done) })
			conn, err := net.Dial("tcp", address)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			fmt.Fprintf(conn, "GET /relay_auto_config HTTP/1.1\r\nHost: hub\r\nAccept: text/event-stream\r\nAuthorization: %s\r\n\r\n", testkit.Key)
			for lines := bufio.NewReaderSize(conn, 64<<10); ; {
				line, err := lines.ReadSlice('\n')
				if err == bufio.ErrBufferFull {
					continue
				}
				if err != nil {
					return
				}
				if strings.HasSuffix(string(line), "}}}\n") || strings.HasPrefix(string(line), `data: {"path":"/environments/`) {
					times <- time.Now().UnixNano()
				}
			}
		}()
	}
	for {
		arrived := make([]int64, 0, *benchReaders)
		for len(arrived) < cap(arrived) {
			select {
			case at := <-times:
				arrived = append(arrived, at)
			case <-done:
				return
			case <-time.After(time.Minute):
				return
			}
		}
		slices.Sort(arrived)
		_, _ = io.WriteString(os.Stdout, fmt.Sprintln(first, arrived[len(arrived)*99/100], arrived[len(arrived)-1]))
		first = 0
	}
}
