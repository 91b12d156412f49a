package autoconfigotel_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
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

// inBubble runs f in virtual time with a server and a client.
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

// noCache pretends to save.
type noCache struct{}

func (noCache) Load(context.Context) ([]byte, error) { return nil, fs.ErrNotExist }
func (noCache) Save(context.Context, []byte) error   { return nil }

// A collector collects metrics.
type collector struct {
	*metric.ManualReader
	provider *metric.MeterProvider
}

func newCollector() *collector {
	reader := metric.NewManualReader()
	return &collector{reader, metric.NewMeterProvider(metric.WithReader(reader))}
}

// collect returns every point by its name and attributes, without their common prefix.
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
		id := append([]string{withoutPrefix(name)}, attributesIn(p.Attributes)...)
		to[strings.Join(id, " ")] = float64(p.Value)
	}
}

// nonzero deletes the points that are 0.
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
		if _, err := autoconfigotel.Register(c.provider.Meter("test"), client); err != nil {
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
			"subscriber.count subscriber.policy=DropOldest": 1,
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
		// The put's three changes came at once, and two came later. Each stuck subscriber took what its
		// policy had kept of the three before the two came. What saves is a subscriber that keeps one.
		want("with a configuration", map[string]float64{
			"connection.attempts": 1, "connection.established": 1, "status state=valid": 1,
			"stream.io": bytes, "stream.events": 5, "cache.saves save.outcome=saved": saves,
			"messages message.kind=put": 1, "messages message.kind=patch": 2,
			"messages message.kind=delete": 1, "messages message.kind=ignored": 1,
			"items item.outcome=applied": 3, "items item.outcome=stale": 1,
			"environment.count": 2, "filter.count": 1, "tombstone.count": 1, "keys.expiring": 1, "keys.expired": 1,
			"subscriber.count subscriber.policy=DropOldest": 3, "subscriber.lag subscriber.policy=DropOldest": 5,
			"subscriber.count subscriber.policy=Coalesce": 1,
			"changes change.outcome=dropped":              2 + 1 + 2, "changes change.outcome=delivered": 5 + 3,
		})
	})
}

func TestMetricsOfAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *autoconfigtest.Server, client *autoconfig.Client) {
		c := newCollector()
		registration, err := autoconfigotel.Register(c.provider.Meter("test"), client)
		if err != nil {
			t.Fatal(err)
		}
		srv.Put(autoconfig.PutContent{})
		synctest.Wait()
		srv.Next(autoconfigtest.Status(http.StatusUnauthorized))
		srv.EndConnections()
		time.Sleep(time.Minute)
		synctest.Wait()
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
		if got := c.collect(t); len(got) > 0 {
			t.Errorf("after Unregister: %v", got)
		}
	})
}

// subscribe subscribes on a new goroutine, which is stuck with its first value until goOn is closed.
func subscribe(changes stream.Observable[autoconfig.Change], goOn <-chan struct{}) {
	go func() {
		_ = changes(context.Background(), func(autoconfig.Change) bool {
			<-goOn
			return true
		})
	}()
}

// converse sends a put with two items, a stale patch and one that applies, the deletion of an unknown
// environment, and an unknown event; then one of two keys expires.
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
	synctest.Wait() // for what happens at this moment, such as a save
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
