package autoconfigtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/autoconfigtest"
)

func parseTranscript(t testing.TB, text string) *autoconfigtest.Transcript {
	t.Helper()
	transcript, err := autoconfigtest.ParseTranscript(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return transcript
}

// A naiveClient reports what happens to it, one line each, in the words that these transcripts expect.
type naiveClient struct {
	client *http.Client
	url    string
	lines  chan string
}

// run connects repeatedly until the context ends. It leaves a connection when it reads the event "leave".
func (c *naiveClient) run(ctx context.Context, t testing.TB) {
	defer close(c.lines)
	for ctx.Err() == nil {
		response, err := c.client.Do(newRequest(ctx, t, c.url))
		if err != nil {
			c.say(ctx, "no answer")
			continue
		}
		if response.StatusCode != http.StatusOK {
			c.say(ctx, strings.TrimSpace(fmt.Sprint("status ", response.StatusCode, " ", response.Header.Get("Retry-After"))))
		} else {
			c.read(ctx, response.Body)
		}
		_ = response.Body.Close()
	}
}

func (c *naiveClient) read(ctx context.Context, body io.Reader) {
	stream := newEvents(body)
	for {
		e, err := stream.next()
		switch {
		case errors.Is(err, io.EOF):
			c.say(ctx, "end")
			return
		case err != nil:
			c.say(ctx, "broken")
			return
		case e.name == "leave":
			return
		}
		c.say(ctx, strings.TrimSpace(e.name+" "+e.data))
	}
}

func (c *naiveClient) say(ctx context.Context, line string) {
	select {
	case c.lines <- strings.ReplaceAll(line, "\n", "|"):
	case <-ctx.Done():
	}
}

func startNaiveClient(t testing.TB, s *autoconfigtest.Server) *naiveClient {
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	c := &naiveClient{client: &http.Client{Transport: transport}, url: s.URL, lines: make(chan string)}
	ctx, cancel := context.WithCancel(t.Context())
	go c.run(ctx, t)
	t.Cleanup(func() {
		cancel()
		for range c.lines { // until it has ended
		}
		transport.CloseIdleConnections()
	})
	return c
}

func TestReplayTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := autoconfigtest.NewPipeServer(key)
				t.Cleanup(s.Close)
				steps := parseTranscript(t, string(text)).Replay(t.Context(), s)
				c := startNaiveClient(t, s)
				for want, err := range steps {
					if err != nil {
						t.Fatal(err)
					}
					for _, line := range want {
						if got := <-c.lines; got != line {
							t.Errorf("got %q, want %q", got, line)
						}
					}
				}
			})
		})
	}
}

func TestReplayReportsWhatNeverHappened(t *testing.T) {
	tests := []struct {
		why, text string
		client    func(*testing.T, *autoconfigtest.Server)
		line      int
	}{
		{"nobody connects", "# why\n\n> put {}\n", func(*testing.T, *autoconfigtest.Server) {}, 3},
		{"never connects again", "> put {}\n= x\n! cut\n> patch {}\n", connectOnce, 4},
		{"never requests its status", "> put {}\n! end\n! status 503\n", connectOnce, 3},
		{"never requests what hangs", "! hang\n", func(*testing.T, *autoconfigtest.Server) {}, 1},
		{"doesn't leave a silent server", "! hang\n", connectInVain, 1},
		{"doesn't leave", "> put {}\n! leave\n", connectOnce, 2},
		{"doesn't read", "> put {}\n! end\n", func(t *testing.T, s *autoconfigtest.Server) { connect(t, s.Client(), s.URL) }, 2},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			s := autoconfigtest.NewPipeServer(key)
			t.Cleanup(s.Close)
			cause := errors.New("too long")
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, cause)
			defer cancel()
			steps := parseTranscript(t, test.text).Replay(ctx, s)
			test.client(t, s)
			err := lastError(steps)
			var failed *autoconfigtest.TranscriptError
			if !errors.As(err, &failed) || failed.Line != test.line || !errors.Is(err, cause) {
				t.Errorf("%s: got %v, want line %d and the context's cause", test.why, err, test.line)
			}
		})
	}
}

// connectOnce makes one request and reads the response.
func connectOnce(t *testing.T, s *autoconfigtest.Server) {
	response := connect(t, s.Client(), s.URL)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, response.Body)
	}()
	t.Cleanup(func() { _ = response.Body.Close(); <-done })
}

// connectInVain makes one request that gets no answer.
func connectInVain(t *testing.T, s *autoconfigtest.Server) {
	request := newRequest(t.Context(), t, s.URL)
	go func() {
		if response, err := s.Client().Do(request); err == nil {
			_ = response.Body.Close()
			t.Error("got an answer")
		}
	}()
}

func lastError(steps iter.Seq2[[]string, error]) (last error) {
	for _, err := range steps {
		last = err
	}
	return last
}

func TestReplayReportsAClientThatLeft(t *testing.T) {
	for _, text := range []string{"> put {}\n= x\n> put {}\n", "> put {}\n= x\n! end\n", "= x\n> put {}\n"} {
		s := autoconfigtest.NewPipeServer(key)
		steps := parseTranscript(t, text).Replay(t.Context(), s)
		response := connect(t, s.Client(), s.URL)
		if err := s.AwaitConnections(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		var failure error
		for _, err := range steps {
			if failure = err; err != nil {
				break
			}
			_ = response.Body.Close()
			if err := s.AwaitConnections(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		if !errors.Is(failure, autoconfigtest.ErrClientLeft) {
			t.Errorf("%q: got %v", text, failure)
		}
		s.Close()
	}
}

func TestReplayEndsWithTheServer(t *testing.T) {
	s := autoconfigtest.NewPipeServer(key)
	steps := parseTranscript(t, "> put {}").Replay(t.Context(), s)
	s.Close()
	if err := lastError(steps); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("got %v", err)
	}
}

func TestParseTranscriptRefuses(t *testing.T) {
	tests := []struct {
		text string
		line int
	}{
		{"# fine\n\n? put", 3},                // no such mark
		{"  continued", 1},                    // nothing to continue
		{">", 1},                              // nothing to send
		{"> raw data: x", 1},                  // not quoted
		{"! stop", 1},                         // no such verb
		{"! end now", 1},                      // no argument wanted
		{"! status", 1},                       // no code
		{"! status 99", 1},                    // no final code
		{"! status 503 Retry-After", 1},       // no header
		{"> put {}\n= x\n! status 503", 3},    // the connection is open
		{"> put {}\n! end\n> a\r\n! hang", 4}, // the second connection is open
	}
	for _, test := range tests {
		_, err := autoconfigtest.ParseTranscript(strings.NewReader(test.text))
		var malformed *autoconfigtest.TranscriptError
		if !errors.As(err, &malformed) || malformed.Line != test.line || !errors.Is(err, autoconfigtest.ErrSyntax) {
			t.Errorf("%q: got %v, want a syntax error in line %d", test.text, err, test.line)
		}
	}
	if _, err := autoconfigtest.ParseTranscript(iotest.ErrReader(io.ErrClosedPipe)); err != io.ErrClosedPipe {
		t.Errorf("of a reader that fails: got %v", err)
	}
}

// Whatever can be parsed can be replayed, here to a client that never connects: the error names a line
// that is sent, or that ends or answers a request.
func FuzzParseTranscript(f *testing.F) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("> raw \"\\x00\"\n! status 999 a:b\n")
	f.Fuzz(func(t *testing.T, text string) {
		transcript, err := autoconfigtest.ParseTranscript(strings.NewReader(text))
		lines := slices.Collect(strings.Lines(text))
		if err == nil {
			s := autoconfigtest.NewPipeServer(key)
			defer s.Close()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err = lastError(transcript.Replay(ctx, s))
		}
		var failed *autoconfigtest.TranscriptError
		if err == nil {
			return
		}
		if !errors.As(err, &failed) || failed.Line < 1 || failed.Line > len(lines) || strings.HasPrefix(lines[failed.Line-1], "#") {
			t.Errorf("got %v", err)
		}
	})
}
