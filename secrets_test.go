package autoconfig_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldlogtest"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/cache"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/params"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// planted are keys that must not be shown. Each contains a word that occurs nowhere else. One is too short for
// its last characters to be shown.
var planted = struct{ auto, current, expiring, mobile, short string }{
	"rel-AUTOSECRET-0001", "sdk-CURRENTSECRET-0002", "sdk-EXPIRINGSECRET-0003", "mob-MOBILESECRET-0004", "SHRTKEY8",
}

// revealed returns the planted keys of which output shows more than their last four characters.
func revealed(output string) (found []string) {
	for _, middle := range []string{"AUTOSEC", "CURRENTSEC", "EXPIRINGSEC", "MOBILESEC", "RTKEY"} {
		forms := []string{middle, hex.EncodeToString([]byte(middle)), strings.ToUpper(hex.EncodeToString([]byte(middle)))}
		for _, form := range forms {
			if strings.Contains(output, form) {
				found = append(found, form)
			}
		}
	}
	return found
}

func secretEnvironment(version int) autoconfig.EnvironmentRep {
	at := time.Now().Add(time.Hour).UnixMilli()
	e := testkit.Environment("a", version)
	e.SDKKey = autoconfig.SDKKeyRep{
		Value:    autoconfig.SDKKey(planted.current),
		Expiring: autoconfig.ExpiringKeyRep{Value: autoconfig.SDKKey(planted.expiring), Timestamp: at},
	}
	e.MobKey = autoconfig.MobileKey(planted.mobile)
	e.SDKKeys = []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{
		{Value: autoconfig.SDKKey(planted.current)}, {Value: autoconfig.SDKKey(planted.short), Expiry: &at},
	}
	return e
}

// samples returns a value of every exported type, with the planted keys wherever one fits, and some values that
// callers make of them.
func samples(t *testing.T) []any {
	e := secretEnvironment(1)
	key := autoconfig.AutoConfigKey(planted.auto)
	listed := decode.EnvironmentEntry{ID: e.EnvID, Version: 1, Rep: &e}
	unchanged := decode.Unchanged{{&e}}
	list := &decode.Listing{Environments: []decode.EnvironmentEntry{listed}, Unchanged: unchanged}
	message := decode.Message{Kind: decode.Put, Put: list}
	change := autoconfig.Change{Kind: autoconfig.EnvironmentAdded, New: &e}
	expired := autoconfig.Key{SDKKey: autoconfig.SDKKey(planted.expiring)}
	put := autoconfig.PutMessageData{Path: "/", Data: testkit.Listing(e)}
	var converter params.Converter
	params := converter.OfEnvironment(&e)
	header := http.Header{"Authorization": {planted.auto}}
	refused := &sse.StatusError{Code: http.StatusBadGateway, Header: header, Body: []byte(planted.auto)}

	state := diff.NewState(nil)
	_ = state.Apply(t.Context(), &message, func(diff.Change) {})
	table := diff.NewTable[string, *autoconfig.EnvironmentRep](1)
	table.Upsert("a", 1, &e)
	changes := stream.NewSubject[autoconfig.Change]()
	transcript, err := autoconfigtest.ParseTranscript(strings.NewReader("> put " + testkit.JSON(put) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	srv := autoconfigtest.NewServer(planted.auto)
	t.Cleanup(srv.Close)
	srv.Put(testkit.Listing(e))
	proxy := autoconfigtest.NewProxy(srv)
	t.Cleanup(proxy.Close)
	o := testkit.To(srv)
	o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return key, nil }
	client := testkit.Open(t, o)
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	manager := autoconfig.NewStreamManager(key, srv.URL, recorder{func(string) {}}, nil, 0, ldlog.NewDisabledLoggers())
	t.Cleanup(manager.Close)
	if err := <-manager.Start(); err != nil {
		t.Fatal(err)
	}
	source := autoconfig.NewHandlerSource()
	source.AddEnvironment(params)

	return []any{
		key, *o, o, client, client.Snapshot(), client.Stats(), client.Stats().Status, client.Stats().Cache, manager, source,
		converter, &converter, params, params.Identifiers, params.ExpiringSDKKey, params.AcceptedSDKKeys[0], autoconfig.FilterParams{}, autoconfig.FileCache{},
		cache.New(&autoconfig.FileCache{Path: t.TempDir()}, nil), cache.Event{}, cache.Loaded,
		&autoconfig.OptionError{}, &autoconfig.HealthError{Err: refused}, autoconfig.Outdated, autoconfig.Valid,

		e, &e, e.EnvID, e.SDKKey, e.SDKKey.Expiring, e.SDKKeys, e.SDKKeys[0], e.SDKKey.Value, e.MobKey, autoconfig.SDKKey(planted.short),
		put, put.Data, autoconfig.PatchMessageData{Data: e}, autoconfig.DeleteMessageData{}, autoconfig.PatchFilterMessageData{},
		autoconfig.FilterID(""), autoconfig.FilterRep{}, message, *list, unchanged, listed, decode.Put, decode.Options{},
		&decode.MalformedError{Err: io.EOF}, &decode.IgnoredError{Err: io.EOF}, &decode.RefusedError{Err: io.EOF},

		change, &change, change.Kind, change.Fields()[0], autoconfig.Filter{}, expired, &autoconfig.Key{MobileKey: e.MobKey},
		decode.Key{MobileKey: e.MobKey}, diff.Subject{}, diff.Options{}, diff.Added, state, *state, state.Stats(), table, *table,

		changes, changes.Totals(), stream.NewBehavior(change), new(stream.Meter), stream.Just(change), stream.Block[autoconfig.Change](1), stream.AtNewer,
		stream.Notification[autoconfig.Change]{Value: change}, stream.RetryPolicy(nil), stream.ShareOptions[autoconfig.Change]{},
		stream.TimestampValue[autoconfig.Change]{Value: change}, stream.IntervalValue[autoconfig.Change]{Value: change}, replayed(change),

		sse.Event{Data: []byte(testkit.JSON(e))}, sse.ScanOptions{}, sse.ConnectOptions{Client: srv.Client()}, &sse.Session{}, sse.Backoff{}, refused, &sse.ContentTypeError{}, &sse.ContentCodingError{},
		sse.SubscribeOptions{}, sse.State{Kind: sse.Waiting, Err: refused}, sse.Open, sse.Get(""),

		srv, proxy, autoconfigtest.Link{}, autoconfigtest.BreakCut, autoconfigtest.Hang(), srv.Requests()[0], transcript, &autoconfigtest.TranscriptError{},

		map[autoconfig.SDKKey]autoconfig.MobileKey{e.SDKKey.Value: e.MobKey},
		struct{ Inner any }{[]any{e, key}},
	}
}

// exportedTypes returns the exported types of the packages that handle keys, except interfaces and aliases, as
// package.Type.
func exportedTypes(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for path := range filesOf(t, ".go") {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		library := regexp.MustCompile(`^((autoconfigtest|cache|decode|diff|params|stream|stream/sse)/)?\w+\.go$`)
		if strings.HasSuffix(path, "_test.go") || !library.MatchString(filepath.ToSlash(path)) {
			continue
		}
		for _, declaration := range file.Decls {
			group, _ := declaration.(*ast.GenDecl)
			if group == nil {
				continue
			}
			for _, spec := range group.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok && spec.Name.IsExported() && spec.Assign == 0 {
					if _, hides := spec.Type.(*ast.InterfaceType); !hides {
						names[file.Name.Name+"."+spec.Name.Name] = true
					}
				}
			}
		}
	}
	return names
}

// TestNoVerbRevealsAKey formats a value of every exported type, by itself and inside of other values. It
// leaves out %p, %T and %w, for which package fmt does not ask a type; go vet reports them.
func TestNoVerbRevealsAKey(t *testing.T) {
	missing := exportedTypes(t)
	for _, value := range samples(t) {
		name, _, _ := strings.Cut(strings.TrimLeft(fmt.Sprintf("%T", value), "*"), "[")
		delete(missing, name)
		for _, verb := range "vsqxXdtcUbeEfFgGoO" {
			for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "50", ".30"} {
				format := "%" + flags + string(verb)
				for _, v := range []any{value, []any{value}, struct{ V any }{value}} {
					if found := revealed(fmt.Sprintf(format, v)); found != nil {
						t.Errorf("%s of a %T shows %q", format, v, found)
					}
				}
			}
		}
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("message", "value", value)
		if found := revealed(text.String()); found != nil {
			t.Errorf("slog's text of a %T shows %q", value, found)
		}
	}
	for name := range missing {
		t.Errorf("there is no sample of %s", name)
	}
}

// A syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// TestLogsAndStatusesRevealNoKey checks the log, statuses and changes of a client for keys.
func TestLogsAndStatusesRevealNoKey(t *testing.T) {
	testkit.InBubble(t, func(t *testing.T, _ *autoconfigtest.Server) {
		srv := autoconfigtest.NewPipeServer(planted.auto)
		defer srv.Close()
		var out syncBuffer
		o := testkit.To(srv)
		o.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		srv.Next(autoconfigtest.Status(503), autoconfigtest.Status(401), autoconfigtest.Answer(400, nil, planted.auto), autoconfigtest.Cut(50))
		srv.Put(testkit.Listing(secretEnvironment(1)))
		client, err := autoconfig.Open(t.Context(), autoconfig.AutoConfigKey(planted.auto), o)
		if err != nil {
			t.Fatal(err)
		}
		statuses, changes := testkit.Watch(client.Status()), testkit.Watch(client.Changes())
		testkit.Pass(time.Hour)
		if err := srv.AwaitConnections(t.Context(), 1); err != nil { // it may be between two
			t.Fatal(err)
		}
		refused := secretEnvironment(3)
		refused.SDKKeys = refused.SDKKeys[1:]
		srv.Patch(secretEnvironment(2))
		srv.SendEvent("patch", testkit.JSON(autoconfig.PatchMessageData{Path: "/environments/a", Data: refused}))
		testkit.Pass(time.Minute)
		srv.SendEvent("patch", `{"path":"/environments/a","data":{"sdkKey":{"value":"`+planted.current)
		testkit.Pass(time.Minute)
		srv.SendEvent("surprise", planted.current)
		srv.Delete("a", 9)
		testkit.Pass(2 * time.Hour)
		fmt.Fprintf(&out, "%+v %#v %v", client.Stats(), client, client)
		client.Close()
		for _, s := range statuses.Stop() {
			fmt.Fprintf(&out, "%+v %v\n", s, s.Err)
		}
		for _, c := range changes.Stop() {
			fmt.Fprintf(&out, "%+v %v %v\n", c, c, c.Fields())
		}
		text := out.buf.String()
		for _, want := range []string{"environment refused", "malformed", "rejected", "deleted"} {
			if !strings.Contains(text, want) {
				t.Errorf("the log does not tell of %q", want)
			}
		}
		if found := revealed(text); found != nil {
			t.Errorf("the output shows %q", found)
		}
	})
}

// replayed returns a subject that remembers a change.
func replayed(c autoconfig.Change) *stream.ReplaySubject[autoconfig.Change] {
	s := stream.NewReplaySubject[autoconfig.Change](1, 0)
	_ = s.Publish(context.Background(), c)
	return s
}

// TestManagerLogRevealsNoKey checks the log of a StreamManager for keys.
func TestManagerLogRevealsNoKey(t *testing.T) {
	srv := autoconfigtest.NewServer(planted.auto)
	defer srv.Close()
	srv.Put(testkit.Listing(secretEnvironment(1)))
	log := ldlogtest.NewMockLog()
	log.Loggers.SetMinLevel(ldlog.Debug)
	complete := make(chan struct{})
	handler := recorder{func(line string) {
		if line == "synced" {
			close(complete)
		}
	}}
	manager := autoconfig.NewStreamManager(autoconfig.AutoConfigKey(planted.auto), srv.URL, handler, nil, 0, log.Loggers)
	if err := <-manager.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-complete:
	case <-time.After(time.Minute):
		t.Error("no configuration in a minute")
	}
	manager.Close()
	if output := fmt.Sprint(log.GetAllOutput()); revealed(output) != nil || !strings.Contains(output, "environment added") {
		t.Error(output)
	}
}
