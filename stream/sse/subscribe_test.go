package sse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// A script is a server that answers one request after the other, the last answer again and again, and then
// hangs up. An answer that ends in "…" stays open.
type script struct {
	*wire
	answers []string

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

func newScript(t *testing.T, answers ...string) *script {
	s := &script{answers: answers}
	s.wire = newWire(t, s.serve)
	return s
}

func (s *script) serve(conn net.Conn) {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(req.Body)
	s.mu.Lock()
	answer := s.answers[min(len(s.requests), len(s.answers)-1)]
	s.requests, s.bodies = append(s.requests, req), append(s.bodies, string(body))
	s.mu.Unlock()
	text, open := strings.CutSuffix(answer, "…")
	_, _ = io.WriteString(conn, text)
	if open {
		silent(conn)
	}
}

func (s *script) options() ConnectOptions { return ConnectOptions{Client: s.client} }

// follow subscribes and writes down what happens, until n events came, or the source ended.
func follow(t *testing.T, newRequest RequestFunc, o SubscribeOptions, n int) (story []string, err error) {
	t.Helper()
	begun, onState := time.Now(), o.OnState
	o.OnState = func(s State) {
		if onState != nil {
			onState(s)
		}
		if s.Kind == Waiting {
			story = append(story, fmt.Sprintf("waiting %v", time.Until(s.Next).Round(time.Second)))
			return
		}
		story = append(story, s.Kind.String())
	}
	err = Subscribe(newRequest, &o)(t.Context(), func(e Event) bool {
		story = append(story, string(e.Data))
		n--
		return n > 0
	})
	t.Logf("%v after %v", err, time.Since(begun))
	return story, err
}

// steady makes policies with these delays, which then give up.
func steady(delays ...time.Duration) func() stream.RetryPolicy {
	return func() stream.RetryPolicy {
		n := -1
		return func(error) time.Duration {
			if n++; n == len(delays) {
				return backoff.Stop
			}
			return delays[n]
		}
	}
}

func expectStory(t *testing.T, got []string, want string) {
	t.Helper()
	if story := strings.Join(got, ", "); story != want {
		t.Errorf("got  %s\nwant %s", story, want)
	}
}

func TestSubscribeReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, okHeader+"retry: 4000\nid: 1\ndata: a\n\ndata: lost", head("HTTP/1.1 503 X"), okHeader+"data: b\n\n…")
		newRequest := Send("POST", anyURL, []byte("body")).With("X-Test", "1")
		story, err := follow(t, newRequest, SubscribeOptions{Connect: s.options(), Retry: steady(3*second, 5*second)}, 2)
		if err != nil {
			t.Error(err)
		}
		expectStory(t, story, "connecting, open, a, waiting 3s, connecting, waiting 5s, connecting, open, b, ended")
		for i, req := range s.requests {
			if id := req.Header.Get("Last-Event-ID"); i > 0 && id != "1" || req.Method != "POST" || s.bodies[i] != "body" || req.Header.Get("X-Test") != "1" {
				t.Errorf("request %d: %s %v with %q", i, req.Method, req.Header, s.bodies[i])
			}
		}
	})
}

// The default policy takes the server's reconnection time, and returns to it after a connection that was open
// for a minute.
func TestSubscribeBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, okHeader+"retry: 4000\n", okHeader+"data: a\n\n", okHeader+"…", okHeader+"data: b\n\n")
		options := s.options()
		options.IdleTimeout = time.Minute
		var delays []time.Duration
		_, err := follow(t, Get(anyURL), SubscribeOptions{Connect: options, OnState: func(s State) {
			if s.Kind == Waiting {
				delays = append(delays, time.Until(s.Next))
			}
		}}, 2)
		if err != nil || len(delays) != 3 {
			t.Fatalf("%v, %v", delays, err)
		}
		for i, want := range []time.Duration{4 * second, 8 * second, 4 * second} {
			if delays[i] < want/2 || delays[i] > want {
				t.Errorf("delay %d is %v, want up to %v", i, delays[i], want)
			}
		}
	})
}

func TestSubscribeEnds(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		ends   bool
	}{
		"no content":        {head("HTTP/1.1 204 X"), true},
		"unauthorized":      {head("HTTP/1.1 401 X"), true},
		"not found":         {head("HTTP/1.1 404 X"), true},
		"too many requests": {head("HTTP/1.1 429 X", "Retry-After: 1"), false},
		"unavailable":       {head("HTTP/1.1 503 X"), false},
		"no event stream":   {head("HTTP/1.1 200 OK", "Content-Type: text/html"), false},
		"the end":           {okHeader, false},
		"nothing":           {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(t, test.answer, okHeader+"data: a\n\n…")
				story, err := follow(t, Get(anyURL), SubscribeOptions{Connect: s.options()}, 1)
				if ended := err != nil; ended != test.ends || slices.Contains(story, "a") == test.ends {
					t.Errorf("%v, %v", story, err)
				}
				if status := (*StatusError)(nil); test.ends && !errors.As(err, &status) {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

func TestSubscribeEndsWithWhatIsPermanent(t *testing.T) {
	broken := errors.New("no key")
	newRequest := func(context.Context) (*http.Request, error) { return nil, backoff.Permanent(broken) }
	if _, err := follow(t, newRequest, SubscribeOptions{}, 1); !errors.Is(err, broken) {
		t.Errorf("of a request: %v", err)
	}
	never := func(context.Context) (*http.Request, error) { t.Error("a request was made"); return nil, broken }
	story, err := follow(t, never, SubscribeOptions{Connect: ConnectOptions{IdleTimeout: -1}}, 1)
	if !errors.Is(err, ErrInvalidOption) || len(story) > 0 {
		t.Errorf("of an option: %v, %v", err, story)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, okHeader)
		ends := func(err error) bool { return errors.Is(err, ErrEndOfStream) }
		if _, err := follow(t, Get(anyURL), SubscribeOptions{Connect: s.options(), Backoff: Backoff{Permanent: ends}}, 1); err != ErrEndOfStream {
			t.Errorf("of the caller's policy: %v", err)
		}
	})
}

func TestRestart(t *testing.T) {
	for name, test := range map[string]struct {
		first string
		after time.Duration // when it is restarted
		want  string
	}{
		"open":       {okHeader + "data: a\n\n…", second, "connecting, open, a, waiting 0s, connecting, open, b, ended"},
		"connecting": {"…", second, "connecting, waiting 0s, connecting, open, b, ended"},
		"waiting":    {"", second, "connecting, waiting 3600s, connecting, open, b, ended"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(t, test.first, okHeader+"data: b\n\n…")
				restart := make(chan struct{})
				time.AfterFunc(test.after, func() { restart <- struct{}{} })
				begun, n := time.Now(), 1+strings.Count(test.first, "data")
				story, err := follow(t, Get(anyURL), SubscribeOptions{Connect: s.options(), Restart: restart, Retry: steady(time.Hour)}, n)
				for i := range story {
					story[i] = strings.Replace(story[i], "1h0m0s", "3600s", 1)
				}
				expectStory(t, story, test.want)
				if took := time.Since(begun); err != nil || took != test.after {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

// A channel that is closed is one that nobody sends to any more.
func TestClosedRestart(t *testing.T) {
	for _, first := range []string{okHeader + "…", ""} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(t, first, okHeader+"data: b\n\n…")
			restart := make(chan struct{})
			time.AfterFunc(second, func() { close(restart) })
			begun := time.Now()
			o := SubscribeOptions{Connect: s.options(), Restart: restart, Retry: steady(5 * second)}
			if _, err := follow(t, Get(anyURL), o, 1); err != nil || len(s.requests) != 2 || time.Since(begun) < 5*second {
				t.Errorf("%d requests in %v, %v", len(s.requests), time.Since(begun), err)
			}
		})
	}
}

func TestSubscribeIsCancelledAtOnce(t *testing.T) {
	cause := errors.New("cause")
	for name, answer := range map[string]string{"connecting": "…", "open": okHeader + "…", "waiting": head("HTTP/1.1 503 X", "Retry-After: 3600")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(t, answer)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(second, func() { cancel(cause) })
				var last State
				o := SubscribeOptions{Connect: s.options(), Restart: make(chan struct{}), OnState: func(s State) {
					if last = s; s.Kind == Waiting && s.Err == cause {
						t.Error("it was about to connect again")
					}
				}}
				begun := time.Now()
				err := Subscribe(Get(anyURL), &o)(ctx, unexpected(t))
				if err != cause || time.Since(begun) != second || last.Kind != Ended || last.Err != cause {
					t.Errorf("%v after %v, in the end %v", err, time.Since(begun), last)
				}
			})
		})
	}
}

// Each subscription begins anew, and none knows of another.
func TestSubscriptionsAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, okHeader+"retry: 60000\nid: 1\ndata: a\n\n", okHeader+"data: b\n\n")
		events := Subscribe(Get(anyURL), &SubscribeOptions{Connect: s.options()})
		for range 2 {
			if _, err := events.First(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if id, sent := s.requests[1].Header["Last-Event-Id"]; sent {
			t.Errorf("the second subscription sent the ID %q of the first", id)
		}
	})
}

func TestStates(t *testing.T) {
	state := State{Kind: Waiting, Err: ErrIdle}
	if text := state.String(); text != "waiting: "+ErrIdle.Error() {
		t.Error(text)
	}
	if text := StateKind(0).String(); text != "none" {
		t.Error(text)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t, head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "X-Test: 1")+"data: a\n\n…")
		opened := 0
		options := s.options()
		options.OnOpen = func(*http.Response) { opened++ }
		_, _ = follow(t, Get(anyURL), SubscribeOptions{Connect: options, OnState: func(s State) {
			if s.Kind == Open && s.Response.Header.Get("X-Test") != "1" {
				t.Errorf("the response has %v", s.Response.Header)
			}
		}}, 1)
		if opened != 1 {
			t.Errorf("OnOpen was called %d times", opened)
		}
	})
}

func TestSubscribeConforms(t *testing.T) {
	answer := okHeader + threeEvents
	streamtest.Test(t, func() stream.Observable[Event] {
		client := &http.Client{Transport: pipeTransport(new(sync.WaitGroup), answering([]string{answer}))}
		return Subscribe(Get(anyURL), &SubscribeOptions{Connect: ConnectOptions{Client: client}, Restart: make(chan struct{})})
	}, threeWanted(), &streamtest.Options{Endless: true})
}
