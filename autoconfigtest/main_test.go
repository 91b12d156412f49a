package autoconfigtest_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "rel-00000000-1234"

// kinds are all kinds of servers. What isn't about one of them is tested with each.
var kinds = map[string]func(string) *autoconfigtest.Server{
	"loopback": autoconfigtest.NewServer,
	"tls":      autoconfigtest.NewTLSServer,
	"pipe":     autoconfigtest.NewPipeServer,
}

func environment(id decode.EnvironmentID, version int) decode.EnvironmentRep {
	return decode.EnvironmentRep{EnvID: id, EnvKey: string(id) + "-key", Version: version,
		SDKKey: decode.SDKKeyRep{Value: decode.SDKKey("sdk-secret-of-" + id)}}
}

func environments(all ...decode.EnvironmentRep) decode.PutContent {
	content := decode.PutContent{Environments: map[decode.EnvironmentID]decode.EnvironmentRep{}}
	for _, e := range all {
		content.Environments[e.EnvID] = e
	}
	return content
}

// newRequest returns a request that passes all checks.
func newRequest(ctx context.Context, t testing.TB, base string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/relay_auto_config?rpacProtocolVersion=2", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", key)
	r.Header.Set("Accept", "text/event-stream")
	return r
}

// connect returns the response to a request that passes all checks. The test closes its body.
func connect(t testing.TB, client *http.Client, base string) *http.Response {
	t.Helper()
	response, err := client.Do(newRequest(t.Context(), t, base))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// An event is what the server sent as one event.
type event struct{ name, data string }

// events reads events of the plain form in which the server sends them, and nothing else.
type events struct{ r *bufio.Reader }

func newEvents(r io.Reader) events { return events{bufio.NewReader(r)} }

func (e events) next() (event, error) {
	var got event
	var data []string
	for {
		line, err := e.r.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		switch field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); {
		case field == "event":
			got.name = value
		case field == "data":
			data = append(data, value)
		case line == "\n":
			got.data = strings.Join(data, "\n")
			return got, nil
		}
	}
}

// mustNext is next. It fails the test if there is no event.
func (e events) mustNext(t testing.TB) event {
	t.Helper()
	got, err := e.next()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// mustHaveStopped fails the test if a goroutine stays in the package's code. A goroutine that has
// reported its end may take a moment to return on a busy machine.
func mustHaveStopped(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for goroutine := running(); goroutine != ""; goroutine = running() {
		if time.Now().After(deadline) {
			t.Fatalf("still running: %s", goroutine)
		}
		runtime.Gosched()
	}
}

// running returns the stack of a goroutine in the package's code, "" if there is none.
func running() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for goroutine := range strings.SplitSeq(string(stacks), "\n\n") {
		// A stack lists the frames below a panic, from which net/http recovers, until the goroutine has
		// ended. So it does the function that created the goroutine, but not as a frame.
		if !strings.Contains(goroutine, "\npanic(") && strings.Contains(goroutine, "\ngithub.com/relaystream/autoconfig/autoconfigtest.") {
			return goroutine
		}
	}
	return ""
}

// wholeBody returns the body that a client reads if it connects now, without faults.
func wholeBody(t testing.TB, s *autoconfigtest.Server) string {
	t.Helper()
	s.Next(nil)
	response := connect(t, s.Client(), s.URL)
	if err := s.AwaitConnections(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s.EndConnections()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
