package autoconfig_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/stream"
)

// TestCloseInEveryPhase closes a client while it is doing each of the things that take time, and demands
// that no time passes and that nothing is left: the bubble ends only when all goroutines have.
func TestCloseInEveryPhase(t *testing.T) {
	phases := map[string]func(srv *autoconfigtest.Server, o *autoconfig.Options){
		"the key provider is asked": func(_ *autoconfigtest.Server, o *autoconfig.Options) {
			o.Key = func(ctx context.Context) (autoconfig.AutoConfigKey, error) {
				<-ctx.Done()
				return "", context.Cause(ctx)
			}
		},
		"the header is awaited":                   func(srv *autoconfigtest.Server, _ *autoconfig.Options) { srv.Next(autoconfigtest.Hang()) },
		"the first connection's retry is awaited": func(srv *autoconfigtest.Server, _ *autoconfig.Options) { srv.Next(autoconfigtest.Status(503)) },
		"a rejected key is to be tried again":     func(srv *autoconfigtest.Server, _ *autoconfig.Options) { srv.Next(autoconfigtest.Status(401)) },
		"an error's body is read": func(srv *autoconfigtest.Server, _ *autoconfig.Options) {
			srv.Next(autoconfigtest.Chain(autoconfigtest.Stall(3), autoconfigtest.Status(500)))
		},
		"an event is half read": func(srv *autoconfigtest.Server, _ *autoconfig.Options) {
			srv.Put(listing(environment("a", 1)))
			srv.Next(autoconfigtest.Stall(40))
		},
		"the stream is silent": func(srv *autoconfigtest.Server, _ *autoconfig.Options) { srv.Put(listing(environment("a", 1))) },
		"bytes come one by one": func(srv *autoconfigtest.Server, _ *autoconfig.Options) {
			srv.Put(listing(environment("a", 1)))
			srv.Next(autoconfigtest.Drip(time.Second))
		},
	}
	for name, prepare := range phases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
				o := to(srv)
				prepare(srv, o)
				client := open(t, o)
				synctest.Wait()
				before := time.Now()
				client.Close()
				client.Close()
				if waited := time.Since(before); waited != 0 {
					t.Errorf("Close took %v", waited)
				}
				if err := client.Ready(t.Context()); err != nil && !errors.Is(err, autoconfig.ErrClosed) {
					t.Error(err)
				}
			})
		})
	}
}

// TestCloseWhileSubscribersHoldUpTheStream closes a client that waits for a lossless subscriber.
func TestCloseWhileSubscribersHoldUpTheStream(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing())
		client := open(t, to(srv))
		if err := client.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		slow := make(chan error)
		go func() {
			slow <- client.ChangesUnder(stream.Block[autoconfig.Change](1))(t.Context(), func(autoconfig.Change) bool {
				<-release
				return true
			})
		}()
		synctest.Wait()
		for i := range 100 {
			srv.Patch(environment("a", i+1))
		}
		synctest.Wait()
		before := time.Now()
		client.Close()
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Close took %v", waited)
		}
		close(release)
		if err := <-slow; err != nil {
			t.Error(err)
		}
	})
}

// TestOurOwnSlownessIsNoSilence holds up the stream for longer than the idle limit, and then demands
// every change of it, over the same connection.
func TestOurOwnSlownessIsNoSilence(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server) {
		srv.Put(listing())
		const patches = 5000
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		version := 0
		err := autoconfig.Observe(testKey, to(srv))(ctx, func(c autoconfig.Change) bool {
			switch c.Kind {
			case autoconfig.Synced:
				for i := range patches {
					srv.Patch(environment("a", i+1))
				}
				time.Sleep(time.Hour)
			default:
				if version++; c.New.Version != version {
					t.Errorf("version %d follows %d", c.New.Version, version-1)
				}
			}
			return version < patches
		})
		if requests := srv.Requests(); err != nil || len(requests) != 1 {
			t.Errorf("%v after %d connections", err, len(requests))
		}
	})
}
