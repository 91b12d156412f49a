package autoconfig_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestTranscripts replays the conversations of testdata/transcripts over real HTTP, against the changes of a Client,
// the handler of a StreamManager, and a Client whose Source makes the connection, and compares what they tell
// with what the transcript expects. All are written down in the same way:
//
//	added ID NAME in PROJECT (KEYS) sdk=KEY mob=KEY old=KEY@EXPIRY accepts KEYS ttl=TTL secure
//	updated …
//	deleted ID
//	expired ID KEY
//	filter added ID PROJECT/KEY
//	filter updated …
//	filter deleted ID
//	synced
//
// where members that are empty are left out. An expectation that begins with "client:" is for clients only, and one
// that begins with "handler:" for the handler. Nothing must come that is not expected. The first expectations must be those
// of the first put alone, because the subscription to the changes may begin after that.
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range paths {
		for who, listen := range map[string]func(*testing.T, *autoconfigtest.Server) stream.Observable[string]{
			"client": listenAsClient, "handler": listenAsHandler, "client of a source": listenThroughSource,
		} {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txt")+"/"+who, func(t *testing.T) {
				t.Parallel()
				replay(t, path, who, listen)
			})
		}
	}
}

func replay(t *testing.T, path, who string, listen func(*testing.T, *autoconfigtest.Server) stream.Observable[string]) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	transcript, err := autoconfigtest.ParseTranscript(file)
	if err != nil {
		t.Fatal(err)
	}
	srv := autoconfigtest.NewServer(testkit.Key)
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	steps := transcript.Replay(ctx, srv)
	told := testkit.Watch(listen(t, srv))
	defer told.Stop()
	for expected, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
		want := expectedOf(who, expected)
		testkit.Expect(t, "told", told.Await(t, len(want)), want...)
	}
	if more := told.Stop(); len(more) > 0 {
		t.Errorf("told more than expected: %q", more)
	}
}

// expectedOf returns the expectations for one of the two who listen.
func expectedOf(who string, expected []string) []string {
	var mine []string
	for _, line := range expected {
		name, rest, only := strings.Cut(line, ": ")
		if !only {
			rest = line
		}
		if kind, _, _ := strings.Cut(who, " "); !only || name == kind {
			mine = append(mine, rest)
		}
	}
	return mine
}

// listenAsClient returns the changes of a client as lines.
func listenAsClient(t *testing.T, srv *autoconfigtest.Server) stream.Observable[string] {
	o := testkit.To(srv)
	o.InitialRetryDelay = time.Millisecond
	return stream.Map(testkit.Open(t, o).Changes(), lineOf)
}

// listenThroughSource is listenAsClient with a source that reads the same stream.
func listenThroughSource(t *testing.T, srv *autoconfigtest.Server) stream.Observable[string] {
	request := sse.Get(srv.URL+"/relay_auto_config?rpacProtocolVersion=2").With("Authorization", testkit.Key)
	events := sse.Connect(request, &sse.ConnectOptions{Client: srv.Client()})
	o := &autoconfig.Options{InitialRetryDelay: time.Millisecond, Source: decode.Messages(events, nil)}
	return stream.Map(testkit.Open(t, o).Changes(), lineOf)
}

// listenAsHandler returns what the handler of a manager is told as lines.
func listenAsHandler(t *testing.T, srv *autoconfigtest.Server) stream.Observable[string] {
	told := stream.NewSubject[string]()
	tell := func(line string) { _ = told.Publish(context.Background(), line) }
	m := autoconfig.NewStreamManager(testkit.Key, srv.URL, recorder{tell}, httpConfig{srv.Client()}, time.Millisecond, testkit.CensoredLoggers(t))
	t.Cleanup(m.Close)
	// It starts when somebody listens.
	start := func() []string {
		m.Start()
		return nil
	}
	return told.Observe(stream.Block[string](1000), start)
}

// lineOf returns the line of a change.
func lineOf(c autoconfig.Change) string {
	switch c.Kind {
	case autoconfig.EnvironmentAdded:
		return "added " + paramsLine(autoconfig.Params(c.New))
	case autoconfig.EnvironmentUpdated:
		return "updated " + paramsLine(autoconfig.Params(c.New))
	case autoconfig.EnvironmentDeleted:
		return "deleted " + string(c.Old.EnvID)
	case autoconfig.KeyExpired:
		return "expired " + string(c.New.EnvID) + " " + string(c.Key.SDKKey) + string(c.Key.MobileKey)
	case autoconfig.FilterAdded:
		return "filter added " + filterLine(c.NewFilter.ID, c.NewFilter.ProjKey, c.NewFilter.FilterKey)
	case autoconfig.FilterUpdated:
		return "filter updated " + filterLine(c.NewFilter.ID, c.NewFilter.ProjKey, c.NewFilter.FilterKey)
	case autoconfig.FilterDeleted:
		return "filter deleted " + string(c.OldFilter.ID)
	default:
		return c.String()
	}
}

func paramsLine(p autoconfig.EnvironmentParams) string {
	words := []string{string(p.EnvID)}
	add := func(show bool, format string, args ...any) {
		if show {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	i := p.Identifiers
	add(i.EnvName != "", "%s", i.EnvName)
	add(i.ProjName != "", "in %s", i.ProjName)
	add(i.ProjKey+i.EnvKey != "", "(%s/%s)", i.ProjKey, i.EnvKey)
	add(p.SDKKey != "", "sdk=%s", string(p.SDKKey))
	add(p.MobileKey != "", "mob=%s", string(p.MobileKey))
	add(p.ExpiringSDKKey.Defined(), "old=%s%s", string(p.ExpiringSDKKey.Key), until(p.ExpiringSDKKey.Expiration))
	add(p.AcceptedSDKKeys != nil, "accepts %s", acceptedLine(p.AcceptedSDKKeys))
	add(p.AcceptedMobileKeys != nil, "accepts %s", acceptedLine(p.AcceptedMobileKeys))
	add(p.TTL != 0, "ttl=%v", p.TTL)
	add(p.SecureMode, "secure")
	return strings.Join(words, " ")
}

func acceptedLine[K autoconfig.SDKKey | autoconfig.MobileKey](keys []autoconfig.AcceptedKey[K]) string {
	var words []string
	for _, k := range keys {
		word := string(k.Value) + until(k.Expiry)
		if k.Key != "" {
			word = k.Key + ":" + word
		}
		if k.HasViews {
			word += "(views)"
		}
		words = append(words, word)
	}
	return strings.Join(words, ",")
}

func until(expiry time.Time) string {
	if expiry.IsZero() {
		return ""
	}
	return "@" + expiry.UTC().Format(time.RFC3339Nano)
}

func filterLine(id autoconfig.FilterID, project, key string) string {
	if project != "" {
		key = project + "/" + key
	}
	return strings.TrimSpace(string(id) + " " + key)
}

// A recorder is a MessageHandler and FilterHandler that tells what it is told as lines.
type recorder struct{ tell func(line string) }

func (r recorder) AddEnvironment(p autoconfig.EnvironmentParams) { r.tell("added " + paramsLine(p)) }
func (r recorder) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	r.tell("updated " + paramsLine(p))
}
func (r recorder) ReceivedAllEnvironments()                      { r.tell("synced") }
func (r recorder) DeleteEnvironment(id autoconfig.EnvironmentID) { r.tell("deleted " + string(id)) }
func (r recorder) KeyExpired(id autoconfig.EnvironmentID, oldKey autoconfig.SDKKey) {
	r.tell("expired " + string(id) + " " + string(oldKey))
}
func (r recorder) AddFilter(p autoconfig.FilterParams) {
	r.tell("filter added " + filterLine(p.ID, p.ProjKey, p.Key))
}
func (r recorder) UpdateFilter(p autoconfig.FilterParams) {
	r.tell("filter updated " + filterLine(p.ID, p.ProjKey, p.Key))
}
func (r recorder) DeleteFilter(id autoconfig.FilterID) { r.tell("filter deleted " + string(id)) }

// httpConfig is an HTTPConfig.
type httpConfig struct{ client *http.Client }

func (c httpConfig) Client() *http.Client { return c.client }
