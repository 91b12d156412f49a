package autoconfigotel_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	autoconfigotel "github.com/relaystream/autoconfig/otel"
)

// All metrics, with their kind, their unit and the values of their attribute. Names and attributes
// begin with "relaystream.autoconfig.", which is left out here.
func ExampleRegister() {
	srv := autoconfigtest.NewServer("auto-config-key")
	defer srv.Close()
	srv.Put(autoconfig.PutContent{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := autoconfig.Open(ctx, "auto-config-key", &autoconfig.Options{BaseURI: srv.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	reader := metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(reader))
	if _, err := autoconfigotel.Register(provider.Meter("my/program"), client); err != nil {
		fmt.Println(err)
		return
	}
	for range client.Changes().All(ctx) {
		printMetrics(ctx, reader) // while there is a subscriber
		break
	}

	// Output:
	// connection.attempts, counter, {attempt}: Connection attempts.
	// connection.established, counter, {connection}: Attempts that led to a stream of events.
	// connection.ended, counter, {connection}: Attempts and connections that have ended.
	//     cause=bad_response cause=end_of_stream cause=failure cause=malformed cause=reconnect cause=refused cause=rejected cause=timeout
	// stream.io, counter, By: Bytes read.
	// stream.events, counter, {event}: Events read.
	// messages, counter, {message}: Messages decoded.
	//     message.kind=complete message.kind=delete message.kind=ignored message.kind=omit message.kind=patch message.kind=put
	// messages.unusual, counter, {environment}: Environments in a form that is slow to decode.
	// items, counter, {item}: Environments and filters in messages.
	//     item.outcome=applied item.outcome=skipped item.outcome=stale item.outcome=unchanged
	// keys.expired, counter, {key}: Keys that have expired.
	// changes, counter, {change}: Changes for subscribers.
	//     change.outcome=coalesced change.outcome=delivered change.outcome=dropped
	// cache.saves, counter, {save}: Attempts to save the configuration.
	//     save.outcome=failed save.outcome=saved
	// status, up-down counter, 1: 1 for the present state, 0 for the others.
	//     state=initializing state=interrupted state=off state=valid
	// environment.count, up-down counter, {environment}: Environments in the configuration.
	// filter.count, up-down counter, {filter}: Payload filters in the configuration.
	// tombstone.count, up-down counter, {tombstone}: Remembered deletions.
	// keys.expiring, up-down counter, {key}: Keys that will expire.
	// subscriber.count, up-down counter, {subscriber}: Subscribers.
	//     subscriber.policy=Coalesce
	// subscriber.lag, gauge, {change}: Changes waiting for the subscriber that is furthest behind.
	//     subscriber.policy=Coalesce
	// outdated.duration, gauge, s: Time since the client was last valid; 0 while it is.
}

func printMetrics(ctx context.Context, reader metric.Reader) {
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		fmt.Println(err)
	}
	for _, m := range all.ScopeMetrics[0].Metrics {
		kind, attributes := describe(m.Data)
		fmt.Printf("%s, %s, %s: %s\n", withoutPrefix(m.Name), kind, m.Unit, m.Description)
		if len(attributes) > 0 {
			fmt.Println("   ", strings.Join(attributes, " "))
		}
	}
}

// describe returns the kind of a metric and its attributes in the form key=value.
func describe(data metricdata.Aggregation) (kind string, attributes []string) {
	switch data := data.(type) {
	case metricdata.Sum[int64]:
		kind = "up-down counter"
		if data.IsMonotonic {
			kind = "counter"
		}
		attributes = attributesOf(data.DataPoints)
	case metricdata.Gauge[int64]:
		kind, attributes = "gauge", attributesOf(data.DataPoints)
	case metricdata.Gauge[float64]:
		kind, attributes = "gauge", attributesOf(data.DataPoints)
	}
	return kind, attributes
}

func attributesOf[N int64 | float64](points []metricdata.DataPoint[N]) (attributes []string) {
	for _, p := range points {
		attributes = append(attributes, attributesIn(p.Attributes)...)
	}
	slices.Sort(attributes)
	return attributes
}

func attributesIn(set attribute.Set) (attributes []string) {
	for _, a := range set.ToSlice() {
		attributes = append(attributes, fmt.Sprintf("%s=%s", withoutPrefix(string(a.Key)), a.Value.AsString()))
	}
	return attributes
}

func withoutPrefix(name string) string { return strings.TrimPrefix(name, "relaystream.autoconfig.") }
