package watch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/internal/testkit"
)

const longKey autoconfig.SDKKey = "sdk-00000000-long-tail"

// A session is a run of the subcommand, whose output a test reads line by line.
type session struct {
	t      *testing.T
	lines  chan string
	stop   context.CancelFunc
	status chan int
}

// start runs the subcommand against a server until the test ends.
func start(t *testing.T, server *autoconfigtest.Server, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	s := &session{t: t, lines: make(chan string), stop: cancel, status: make(chan int, 1)}
	go func() {
		s.status <- Run(ctx, &cli.Process{
			Args: append(args, "-stream-uri", server.URL), Getenv: environment, Stdout: writer, Stderr: io.Discard,
		})
		_ = writer.Close()
	}()
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	return s
}

func environment(name string) string { return map[string]string{cli.KeyVariable: testkit.Key}[name] }

// next returns the next line, which must not have a key in it.
func (s *session) next() string {
	s.t.Helper()
	select {
	case line := <-s.lines:
		if strings.Contains(line, "0000") {
			s.t.Errorf("a key is shown: %s", line)
		}
		return line
	case <-time.After(time.Minute):
		s.t.Fatal("no line in a minute")
		return ""
	}
}

// end interrupts the subcommand and returns its exit status.
func (s *session) end() int {
	s.stop()
	for range s.lines {
	}
	return <-s.status
}

// scenario has the server make one change of each kind of environment and filter.
func scenario(server *autoconfigtest.Server) {
	e := testkit.Environment("e1", 1)
	e.SDKKey.Value = longKey
	server.Put(testkit.Listing(e))
	e.Version, e.EnvName, e.SDKKey.Value = 2, "two\nlines", longKey+"2"
	e.SDKKey.Expiring = autoconfig.ExpiringKeyRep{Value: longKey, Timestamp: time.Now().Add(time.Hour).UnixMilli()}
	server.Patch(e)
	server.PatchFilter("f1", autoconfig.FilterRep{ProjKey: "proj", FilterKey: "filter", Version: 1})
	server.Delete("e1", 3)
}

func TestLines(t *testing.T) {
	server := autoconfigtest.NewServer(testkit.Key)
	defer server.Close()
	s := start(t, server)
	if err := server.AwaitConnections(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	scenario(server)
	for _, want := range []string{
		"environment added: e1 (Project Env e1) version 1",
		"synced",
		`environment updated: e1 (Project "two\nlines") version 2: EnvName Env e1 → "two\nlines", SDKKey.Value ***tail → ***ail2, ` +
			"SDKKey.Expiring.Value (none) → ***tail, SDKKey.Expiring.Timestamp ",
		"filter added: f1 (proj filter) version 1",
		`environment deleted: e1 (Project "two\nlines") version 2`,
	} {
		at, line, _ := strings.Cut(s.next(), " ")
		if _, err := time.Parse(time.RFC3339, at); err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(line, want) {
			t.Errorf("got  %s\nwant %s", line, want)
		}
	}
	if status := s.end(); status != cli.Done {
		t.Errorf("status %d after an interruption", status)
	}
}

func TestJSON(t *testing.T) {
	server := autoconfigtest.NewServer(testkit.Key)
	defer server.Close()
	s := start(t, server, "-json")
	if err := server.AwaitConnections(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	scenario(server)
	for _, want := range []struct {
		kind   string
		fields int
	}{{"environment added", 0}, {"synced", 0}, {"environment updated", 4}, {"filter added", 0}, {"environment deleted", 0}} {
		var got struct {
			Time   time.Time
			Change struct{ Kind string }
			Fields []autoconfig.Field
		}
		if err := json.Unmarshal([]byte(s.next()), &got); err != nil {
			t.Fatal(err)
		}
		if got.Time.IsZero() || got.Change.Kind != want.kind || len(got.Fields) != want.fields {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if status := s.end(); status != cli.Done {
		t.Errorf("status %d after an interruption", status)
	}
}

// refusing fails every write.
type refusing struct{ err error }

func (r refusing) Write([]byte) (int, error) { return 0, r.err }

func TestExitStatus(t *testing.T) {
	for name, test := range map[string]struct {
		args  []string
		key   string
		fault autoconfigtest.Fault
		out   error
		want  int
	}{
		"the reader of a pipe has gone": {nil, testkit.Key, nil, syscall.EPIPE, cli.Done},
		"the disk is full":              {nil, testkit.Key, nil, syscall.ENOSPC, cli.Failure},
		"no key":                        {nil, "", nil, nil, cli.Usage},
		"wrong key":                     {nil, "other", nil, nil, cli.KeyRejected},
		"204":                           {nil, testkit.Key, autoconfigtest.Status(204), nil, cli.SentAway},
		"wrong URI":                     {[]string{"-stream-uri", "x"}, testkit.Key, nil, nil, cli.Usage},
		"wrong flag":                    {[]string{"-key", "x"}, testkit.Key, nil, nil, cli.Usage},
		"no such file":                  {[]string{"-key-file", "testdata/none"}, testkit.Key, nil, nil, cli.Usage},
		"help":                          {[]string{"-help"}, "", nil, nil, cli.Done},
	} {
		t.Run(name, func(t *testing.T) {
			server := autoconfigtest.NewServer(testkit.Key)
			defer server.Close()
			server.Put(testkit.Listing(testkit.Environment("e1", 1)))
			server.Next(test.fault)
			var out, log bytes.Buffer
			p := &cli.Process{Args: append([]string{"-stream-uri", server.URL}, test.args...), Stdout: &out, Stderr: &log}
			if test.out != nil {
				p.Stdout = refusing{test.out}
			}
			p.Getenv = func(name string) string { return map[string]string{cli.KeyVariable: test.key}[name] }
			if got := Run(t.Context(), p); got != test.want {
				t.Errorf("status %d, want %d: %s", got, test.want, &log)
			}
			if (log.Len() > 0) != (test.want != cli.Done) {
				t.Errorf("it says %q", &log)
			}
		})
	}
}

var errEnough = errors.New("enough")

// TestLinesWait checks that nothing is merged or dropped while the reader of the lines is slow.
func TestLinesWait(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, server *autoconfigtest.Server) {
		const patches = 3 * autoconfig.DefaultLag
		server.Put(testkit.Listing(testkit.Environment("e1", 1)))
		lines := 0
		slow := writerFunc(func([]byte) error {
			if lines++; lines == 2 { // synced
				for version := range patches {
					server.Patch(testkit.Environment("e1", version+2))
				}
				time.Sleep(time.Minute)
			}
			if lines == 2+patches {
				return errEnough
			}
			return nil
		})
		o := testkit.To(server)
		o.Logger = testkit.Censored(t)
		o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return testkit.Key, nil }
		if err := printLines(t.Context(), slow, false, o); !errors.Is(err, errEnough) {
			t.Errorf("%v after %d lines", err, lines)
		}
	})
}

type writerFunc func([]byte) error

func (f writerFunc) Write(line []byte) (int, error) { return len(line), f(line) }
