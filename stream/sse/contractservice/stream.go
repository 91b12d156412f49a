package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/relaystream/autoconfig/stream/sse"
)

// params are what the harness wants of a stream.
type params struct {
	StreamURL      string            `json:"streamUrl"`
	CallbackURL    string            `json:"callbackUrl"`
	Tag            string            `json:"tag"`
	InitialDelayMS *int              `json:"initialDelayMs"`
	ReadTimeoutMS  *int              `json:"readTimeoutMs"`
	LastEventID    string            `json:"lastEventId"`
	Headers        map[string]string `json:"headers"`
	Method         string            `json:"method"`
	Body           string            `json:"body"`
}

// request returns what makes the requests.
func (p *params) request() sse.RequestFunc {
	request := sse.Send(cmp.Or(p.Method, http.MethodGet), p.StreamURL, []byte(p.Body))
	for name, value := range p.Headers {
		request = request.With(name, value)
	}
	return request
}

func (p *params) options() *sse.SubscribeOptions {
	o := &sse.SubscribeOptions{Connect: sse.ConnectOptions{
		Comments: true,
		Session:  &sse.Session{LastEventID: p.LastEventID},
	}}
	if p.ReadTimeoutMS != nil {
		o.Connect.IdleTimeout = milliseconds(*p.ReadTimeoutMS)
	}
	if p.InitialDelayMS != nil {
		o.Backoff.Initial = cmp.Or(milliseconds(*p.InitialDelayMS), -1) // 0 stands for the default
	}
	return o
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// A stream is one subscription, which reports to the harness.
type stream struct {
	callbackURL string
	callbacks   int
	restart     chan struct{}
	cancel      context.CancelFunc
	running     sync.WaitGroup
}

func open(p params) *stream {
	s := &stream{callbackURL: p.CallbackURL, restart: make(chan struct{}, 1)}
	o := p.options()
	o.Restart = s.restart
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	o.OnState = func(state sse.State) {
		if state.Err != nil && ctx.Err() == nil && !errors.Is(state.Err, sse.ErrRestart) {
			s.report(ctx, message{Kind: "error", Error: state.Err.Error()})
		}
	}
	s.running.Go(func() {
		_ = sse.Subscribe(p.request(), o).ForEach(ctx, func(e sse.Event) error { // OnState reports the error
			s.report(ctx, messageOf(e))
			return nil
		})
	})
	return s
}

func (s *stream) requestRestart() {
	select {
	case s.restart <- struct{}{}:
	default: // one is under way
	}
}

func (s *stream) close() {
	s.cancel()
	s.running.Wait()
}

// A message tells the harness what has happened.
type message struct {
	Kind    string `json:"kind"`
	Event   *event `json:"event,omitempty"`
	Comment string `json:"comment,omitempty"`
	Error   string `json:"error,omitempty"`
}

type event struct {
	Type string `json:"type"`
	Data string `json:"data"`
	ID   string `json:"id"`
}

func messageOf(e sse.Event) message {
	if e.IsComment() {
		return message{Kind: "comment", Comment: string(e.Data)}
	}
	return message{Kind: "event", Event: &event{Type: e.Type, Data: string(e.Data), ID: e.LastEventID}}
}

// report numbers the message, so that the harness can put messages in order. One that can't be delivered is
// missed there.
func (s *stream) report(ctx context.Context, m message) {
	s.callbacks++
	url := strings.TrimSuffix(s.callbackURL, "/") + "/" + strconv.Itoa(s.callbacks)
	body, _ := json.Marshal(m) // strings are always valid
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}
