package peers

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/bench/feed"
	"github.com/relaystream/autoconfig/bench/synth"
	"github.com/relaystream/autoconfig/decode"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder keeps the state that follows from the calls of the handler.
type recorder struct {
	t      *testing.T
	mark   decode.EnvironmentID
	known  map[decode.EnvironmentID]autoconfig.EnvironmentParams
	counts synth.Counts
	level  Level
	bytes  int // still to be read, like the events
	events int
	done   chan struct{} // receives a token when everything has been read
}

func (r *recorder) AddEnvironment(params autoconfig.EnvironmentParams) {
	if _, ok := r.known[params.EnvID]; ok {
		r.t.Errorf("%s was added twice", params.EnvID)
	}
	r.known[params.EnvID] = params
	r.counts.Added++
}

func (r *recorder) UpdateEnvironment(params autoconfig.EnvironmentParams) {
	if _, ok := r.known[params.EnvID]; !ok {
		r.t.Errorf("%s was updated before it was added", params.EnvID)
	}
	r.known[params.EnvID] = params
	r.counts.Updated++
	if params.EnvID == r.mark {
		r.done <- struct{}{}
	}
}

func (r *recorder) DeleteEnvironment(id decode.EnvironmentID) {
	if _, ok := r.known[id]; !ok {
		r.t.Errorf("%s was deleted before it was added", id)
	}
	delete(r.known, id)
	r.counts.Deleted++
}

func (r *recorder) ReceivedAllEnvironments() { r.counts.Synced++ }

// KeyExpired is called for a key that a key set no longer lists. Not every peer supports that.
func (*recorder) KeyExpired(autoconfig.EnvironmentID, autoconfig.SDKKey) {}

func (r *recorder) Read(bytes, events int) {
	r.bytes -= bytes
	r.events -= events
	if r.level == Bytes && r.bytes == 0 || r.level > Bytes && r.events == 0 {
		r.done <- struct{}{}
	}
}

// conversation is a put, every kind of patch, the same put again, and the mark.
func conversation(s *synth.Stream) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, part := range []iter.Seq[[]byte]{
			slices.Values([][]byte{slices.Clone(s.Put())}), s.Rest(), s.Blocks(3000),
		} {
			for block := range part {
				if !yield(block) {
					return
				}
			}
		}
		_ = yield(s.Put()) && yield(s.Mark())
	}
}

// Every peer ends in the state that the stream defines, with the calls that it defines.
func TestFinalState(t *testing.T) {
	for _, peer := range All() {
		t.Run(peer.Name, func(t *testing.T) {
			stream := synth.New(synth.Config{
				Seed: 7, Environments: 60, PutSize: 50, NameLength: 10, Rotating: 0.5, ConcurrentKeys: 0.3,
				Stale: 0.1, Unchanged: 0.1, Deletes: 0.1, Unusual: 0.2,
			})
			segment, err := feed.Render(8, conversation(stream))
			if err != nil {
				t.Fatal(err)
			}
			defer segment.Free()
			out := &recorder{
				t: t, mark: stream.MarkID(), known: map[decode.EnvironmentID]autoconfig.EnvironmentParams{},
				level: peer.Level, bytes: segment.Bytes, events: segment.Events, done: make(chan struct{}, 1),
			}
			play(t, peer, out, segment)
			if peer.Level < Changes {
				return
			}
			want := map[decode.EnvironmentID]autoconfig.EnvironmentParams{}
			for id, rep := range stream.Environments() {
				want[id] = autoconfig.Params(&rep)
			}
			if diff := cmp.Diff(want, out.known); diff != "" {
				t.Errorf("state (-stream +peer):\n%s", diff)
			}
			if out.counts != stream.Counts() {
				t.Errorf("the handler got %+v, want %+v", out.counts, stream.Counts())
			}
		})
	}
}

// play waits until the peer has read the segment and has ended.
func play(t *testing.T, peer Peer, out *recorder, segment *feed.Segment) {
	t.Helper()
	server, err := feed.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- peer.Run(ctx, &http.Client{Transport: transport}, server.URL, out) }()
	conn, err := server.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Send(segment); err != nil {
		t.Error(err)
	}
	select {
	case <-out.done:
		cancel()
	case err := <-ended:
		t.Fatalf("the peer ended early: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The client asks for its key again when its connection breaks. That must not block it.
func TestClientComesBack(t *testing.T) {
	server, err := feed.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	soon, err := feed.Render(1, slices.Values([][]byte{[]byte("retry: 1\n\n")}))
	if err != nil {
		t.Fatal(err)
	}
	defer soon.Free()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- openClient(ctx, &http.Client{Transport: transport}, server.URL, &recorder{t: t}) }()
	for range 2 {
		conn, err := server.Accept(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(conn.Send(soon), conn.Close()); err != nil {
			t.Error(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
