package autoconfigotel_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	autoconfigotel "github.com/relaystream/autoconfig/otel"
	"github.com/relaystream/autoconfig/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = "rel-test-0000-1234"

// inBubble runs f in virtual time with a server and a client of it.
func inBubble(t *testing.T, f func(t *testing.T, srv *autoconfigtest.Server, client *autoconfig.Client)) {
	synctest.Test(t, func(t *testing.T) {
		srv := autoconfigtest.NewPipeServer(key)
		defer srv.Close()
		client, err := autoconfig.Open(t.Context(), key, &autoconfig.Options{
			BaseURI: srv.URL, HTTPClient: srv.Client(), Cache: noCache{},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		f(t, srv, client)
	})
}

// noCache says that it saves.
type noCache struct{}

func (noCache) Load(context.Context) ([]byte, error) { return nil, fs.ErrNotExist }
func (noCache) Save(context.Context, []byte) error   { return nil }

// A collector is where the metrics arrive.
type collector struct {
	*metric.ManualReader
	provider *metric.MeterProvider
}

func newCollector() *collector {
	reader := metric.NewManualReader()
	return &collector{reader, metric.NewMeterProvider(metric.WithReader(reader))}
}

// collect returns every point by its name and attributes, the common beginning of the names left out.
func (c *collector) collect(t *testing.T) map[string]float64 {
	t.Helper()
	points := make(map[string]float64)
	c.metrics(t, func(m metricdata.Metrics) {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			addPoints(points, m.Name, data.DataPoints)
		case metricdata.Gauge[int64]:
			addPoints(points, m.Name, data.DataPoints)
		case metricdata.Gauge[float64]:
			addPoints(points, m.Name, data.DataPoints)
		}
	})
	return points
}

func (c *collector) metrics(t *testing.T, each func(metricdata.Metrics)) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := c.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			each(m)
		}
	}
}

func addPoints[N int64 | float64](to map[string]float64, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		id := name
		for _, a := range p.Attributes.ToSlice() {
			id += fmt.Sprintf(" %s=%s", a.Key, a.Value.AsString())
		}
		to[strings.ReplaceAll(id, "relaystream.autoconfig.", "")] = float64(p.Value)
	}
}

// nonzero leaves out what is 0.
func nonzero(points map[string]float64) map[string]float64 {
	for id, value := range points {
		if value == 0 {
			delete(points, id)
		}
	}
	return points
}

func TestMetricsFollowTheClient(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server, client *autoconfig.Client) {
		c := newCollector()
		registration, err := autoconfigotel.Register(c.provider.Meter("test"), client)
		if err != nil {
			t.Fatal(err)
		}
		want := func(when string, want map[string]float64) {
			t.Helper()
			if d := cmp.Diff(want, nonzero(c.collect(t))); d != "" {
				t.Errorf("%s (-want +got):\n%s", when, d)
			}
		}
		time.Sleep(1500 * time.Millisecond)
		want("without a configuration", map[string]float64{
			"connection.attempts": 1, "connection.established": 1, "status state=initializing": 1, "outdated.duration": 1.5,
		})

		stuck, quick := make(chan struct{}), make(chan struct{})
		close(quick)
		subscribe(client.ChangesUnder(stream.DropOldest[autoconfig.Change](1)), stuck)
		subscribe(client.ChangesUnder(stream.DropOldest[autoconfig.Change](9)), stuck)
		subscribe(client.Changes(), quick)
		defer close(stuck)
		synctest.Wait()
		converse(srv)
		bytes, saves := float64(client.Stats().Bytes), float64(client.Stats().Cache.Saves)
		if bytes == 0 || saves == 0 {
			t.Errorf("%v bytes and %v saves were counted", bytes, saves)
		}
		// Of the five changes the three of the put came at once, and both who are stuck took what their
		// policy left of these before the others came.
		want("with a configuration", map[string]float64{
			"connection.attempts": 1, "connection.established": 1, "status state=valid": 1,
			"stream.io": bytes, "stream.events": 5, "cache.saves save.outcome=saved": saves,
			"messages message.kind=put": 1, "messages message.kind=patch": 2,
			"messages message.kind=delete": 1, "messages message.kind=ignored": 1,
			"items item.outcome=applied": 3, "items item.outcome=stale": 1,
			"environment.count": 2, "filter.count": 1, "tombstone.count": 1, "keys.expiring": 1, "keys.expired": 1,
			"subscriber.count subscriber.policy=DropOldest": 2, "subscriber.lag subscriber.policy=DropOldest": 5,
			"subscriber.count subscriber.policy=Coalesce": 1,
			"changes change.outcome=dropped":              2 + 1, "changes change.outcome=delivered": 5,
		})

		srv.Next(autoconfigtest.Status(http.StatusUnauthorized))
		srv.EndConnections()
		time.Sleep(time.Minute)
		got := c.collect(t)
		for id, want := range map[string]float64{
			"connection.attempts": 2, "connection.established": 1,
			"connection.ended cause=end_of_stream": 1, "connection.ended cause=rejected": 1, "connection.ended cause=failure": 0,
			"status state=interrupted": 1, "status state=valid": 0, "outdated.duration": 60,
		} {
			if value, ok := got[id]; !ok || value != want {
				t.Errorf("%s is %v, want %v", id, value, want)
			}
		}

		if err := registration.Unregister(); err != nil {
			t.Error(err)
		}
		want("unregistered", map[string]float64{})
	})
}

// subscribe has a goroutine subscribe, which gets stuck at its first value until goOn is closed.
func subscribe(changes stream.Observable[autoconfig.Change], goOn <-chan struct{}) {
	go func() {
		_ = changes(context.Background(), func(autoconfig.Change) bool {
			<-goOn
			return true
		})
	}()
}

// converse makes a client go through a put with two items, a patch that is stale and one that is not,
// the deletion of what it doesn't know, an event that it doesn't know, and the expiry of one of two
// keys.
func converse(srv *autoconfigtest.Server) {
	environment := func(id autoconfig.EnvironmentID, expiry time.Duration) autoconfig.EnvironmentRep {
		e := autoconfig.EnvironmentRep{EnvID: id, Version: 1}
		e.SDKKey.Value = "new"
		e.SDKKey.Expiring.Value, e.SDKKey.Expiring.Timestamp = "old", time.Now().Add(expiry).UnixMilli()
		return e
	}
	srv.Put(autoconfig.PutContent{
		Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{"a": environment("a", time.Hour)},
		Filters:      map[autoconfig.FilterID]autoconfig.FilterRep{"f": {Version: 1}},
	})
	synctest.Wait()
	srv.Patch(environment("a", time.Hour))
	srv.Patch(environment("b", time.Second))
	srv.Delete("c", 1)
	srv.SendEvent("other", "")
	time.Sleep(2 * time.Second)
}

func TestClientsAreToldApart(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server, client *autoconfig.Client) {
		c := newCollector()
		meter := c.provider.Meter("test")
		attributes := make([]attribute.KeyValue, 1, 10)
		for _, name := range []string{"one", "two"} {
			attributes[0] = attribute.String("name", name)
			if _, err := autoconfigotel.Register(meter, client, attributes...); err != nil {
				t.Fatal(err)
			}
		}
		srv.Put(autoconfig.PutContent{})
		synctest.Wait()
		got := c.collect(t)
		for _, id := range []string{"messages name=%s message.kind=put", "stream.events name=%s"} {
			for _, name := range []string{"one", "two"} {
				if got[fmt.Sprintf(id, name)] != 1 {
					t.Errorf("%s of %s is not 1: %v", id, name, got)
				}
			}
		}
	})
}

// TestPackageCommentListsAllMetrics demands that the tables of the package comment have the name, the
// unit and the attribute of every metric, under the heading of its kind.
func TestPackageCommentListsAllMetrics(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *autoconfigtest.Server, client *autoconfig.Client) {
		c := newCollector()
		if _, err := autoconfigotel.Register(c.provider.Meter("test"), client); err != nil {
			t.Fatal(err)
		}
		goOn := make(chan struct{})
		defer close(goOn)
		subscribe(client.Changes(), goOn)
		synctest.Wait()
		var got []string
		c.metrics(t, func(m metricdata.Metrics) {
			name := strings.TrimPrefix(m.Name, "relaystream.autoconfig.")
			kind, attributes := describe(m.Data)
			got = append(got, strings.TrimSpace(strings.Join([]string{kind, name, m.Unit, attributes}, " ")))
		})
		want := documented(t)
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-documented +real:\n%s", d)
		}
	})
}

func describe(data metricdata.Aggregation) (kind, attributes string) {
	var set attribute.Set
	switch data := data.(type) {
	case metricdata.Sum[int64]:
		kind, set = "shrink", data.DataPoints[0].Attributes
		if data.IsMonotonic {
			kind = "only"
		}
	case metricdata.Gauge[int64]:
		kind, set = "Gauges", data.DataPoints[0].Attributes
	case metricdata.Gauge[float64]:
		kind, set = "Gauges", data.DataPoints[0].Attributes
	}
	for _, a := range set.ToSlice() {
		attributes += "(" + strings.TrimPrefix(string(a.Key), "relaystream.autoconfig.") + ")"
	}
	return kind, attributes
}

// documented returns the lines of the tables as describe would.
func documented(t *testing.T) (lines []string) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	tables, _, _ := strings.Cut(string(text), "// Values of the attributes")
	heading := regexp.MustCompile(`(only|shrink|Gauges)\b`)
	row := regexp.MustCompile(`^//\t([a-z_.]+) +(\S+) .*?(\([a-z_.]+\))?$`)
	kind := ""
	for line := range strings.Lines(tables) {
		line = strings.TrimSuffix(line, "\n")
		if m := row.FindStringSubmatch(line); m != nil && kind != "" {
			lines = append(lines, strings.TrimSpace(strings.Join([]string{kind, m[1], m[2], m[3]}, " ")))
		} else if m := heading.FindString(line); m != "" {
			kind = m
		}
	}
	return lines
}
