package main

import (
	"bytes"
	"log"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/config"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/envfactory"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/relayenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A recorder is a MessageHandler that passes its calls on.
type recorder chan any

func (r recorder) AddEnvironment(p envfactory.EnvironmentParams) { r <- p }

func (r recorder) UpdateEnvironment(p envfactory.EnvironmentParams) { r <- []any{"update", p} }

func (r recorder) ReceivedAllEnvironments() { r <- "all" }

func (r recorder) DeleteEnvironment(id config.EnvironmentID) { r <- []any{"delete", id} }

func (r recorder) KeyExpired(id config.EnvironmentID, key config.SDKKey) {
	r <- []any{"expired", id, key}
}

func (r recorder) AddFilter(p envfactory.FilterParams) { r <- p }

func (r recorder) DeleteFilter(id config.FilterID) { r <- []any{"delete", id} }

// expect fails the test unless the calls are those that are wanted.
func (r recorder) expect(t *testing.T, wanted ...any) {
	t.Helper()
	for _, want := range wanted {
		if d := cmp.Diff(want, <-r); d != "" {
			t.Fatalf("-want +got:\n%s", d)
		}
	}
}

// environment returns an environment with a value in every field, whose old key expires in a minute.
func environment(version int) (autoconfig.EnvironmentRep, envfactory.EnvironmentParams) {
	expiry := time.Now().Add(time.Minute)
	rep := autoconfig.EnvironmentRep{
		EnvID: "env-1", EnvKey: "production", EnvName: "Production", ProjKey: "shop", ProjName: "Shop",
		SDKKey: autoconfig.SDKKeyRep{
			Value: "sdk-new", Expiring: autoconfig.ExpiringKeyRep{Value: "sdk-old", Timestamp: expiry.UnixMilli()},
		},
		MobKey: "mob-key", DefaultTTL: 5, SecureMode: true, Version: version,
	}
	return rep, envfactory.EnvironmentParams{
		EnvID:          "env-1",
		Identifiers:    relayenv.EnvIdentifiers{EnvKey: "production", EnvName: "Production", ProjKey: "shop", ProjName: "Shop"},
		SDKKey:         "sdk-new",
		MobileKey:      "mob-key",
		ExpiringSDKKey: envfactory.ExpiringSDKKey{Key: "sdk-old", Expiration: expiry},
		TTL:            5 * time.Minute,
		SecureMode:     true,
	}
}

// TestAdapter: Relay's handler is called with all that the stream says.
func TestAdapter(t *testing.T) {
	serve(t, 2, func(t *testing.T, srv *autoconfigtest.Server, calls recorder) {
		first, firstParams := environment(1)
		srv.Put(autoconfig.PutContent{
			Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{"env-1": first},
			Filters:      map[autoconfig.FilterID]autoconfig.FilterRep{"filter-1": {ProjKey: "shop", FilterKey: "web", Version: 1}},
		})
		calls.expect(t, firstParams, envfactory.FilterParams{ProjKey: "shop", ID: "filter-1", Key: "web"}, "all")
		second, secondParams := environment(2)
		srv.Patch(second)
		calls.expect(t, []any{"update", secondParams}, []any{"expired", config.EnvironmentID("env-1"), config.SDKKey("sdk-old")})
		srv.Delete("env-1", 3)
		srv.DeleteFilter("filter-1", 2)
		calls.expect(t, []any{"delete", config.EnvironmentID("env-1")}, []any{"delete", config.FilterID("filter-1")})
	})
}

// TestProtocolVersion: version 1 has no filters.
func TestProtocolVersion(t *testing.T) {
	serve(t, 1, func(t *testing.T, srv *autoconfigtest.Server, calls recorder) {
		srv.Put(autoconfig.PutContent{
			Filters: map[autoconfig.FilterID]autoconfig.FilterRep{"filter-1": {ProjKey: "shop", FilterKey: "web", Version: 1}},
		})
		calls.expect(t, "all")
	})
}

// serve calls f, in virtual time, with a server and the calls of a handler that it feeds. A call that does
// not come is a deadlock, which fails the test.
func serve(t *testing.T, protocolVersion int, f func(*testing.T, *autoconfigtest.Server, recorder)) {
	synctest.Test(t, func(t *testing.T) {
		srv := autoconfigtest.NewPipeServer("relay-key")
		defer srv.Close()
		uri, err := url.Parse(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		calls := make(recorder, 16)
		manager := NewStreamManager("relay-key", uri, calls, pipe{srv}, 0, protocolVersion, ldlog.NewDisabledLoggers())
		defer manager.Close()
		if err := <-manager.Start(); err != nil {
			t.Fatal(err)
		}
		f(t, srv, calls)
	})
}

// pipe is an autoconfig.HTTPConfig, as Relay's is, that reaches a server in memory.
type pipe struct{ *autoconfigtest.Server }

// TestLoggersOf: each line arrives once, at its level, with the prefix of the loggers that write it, and only
// from their level on.
func TestLoggersOf(t *testing.T) {
	var lines bytes.Buffer
	var relay ldlog.Loggers
	relay.SetBaseLogger(log.New(&lines, "", 0))
	relay.SetPrefix("AutoConfiguration:")
	relay.SetMinLevel(ldlog.Warn)
	loggers := LoggersOf(relay.GetMinLevel(), relay.ForLevel)
	loggers.SetPrefix("another prefix:")
	loggers.Info("connecting")
	loggers.Warn("lost connection")
	loggers.Error("key rejected")
	if want := "WARN: AutoConfiguration: lost connection\nERROR: AutoConfiguration: key rejected\n"; lines.String() != want {
		t.Errorf("got %q, want %q", lines.String(), want)
	}
	if loggers.GetMinLevel() != ldlog.Warn {
		t.Errorf("minimum %v", loggers.GetMinLevel())
	}
}
