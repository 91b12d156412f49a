package admin

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/page"
	autoconfigotel "github.com/relaystream/autoconfig/otel"
)

// metrics are the client's, as package autoconfigotel names them, the hub's, the page's, and those of Go and the process.
type metrics struct {
	http.Handler
	provider *metric.MeterProvider
}

func newMetrics(client *autoconfig.Client, h *hub.Hub, p *page.Page) (*metrics, error) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, err
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	if _, err := autoconfigotel.Register(provider.Meter("github.com/relaystream/autoconfig/hub"), client); err != nil {
		return nil, err
	}
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "viewers", Help: "Browsers that look at the page.",
		}, func() float64 { return float64(p.Viewers()) }))
	if h != nil {
		registry.MustRegister(hubCollector{h})
	}
	return &metrics{Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), provider: provider}, nil
}

func (m *metrics) close() {
	_ = m.provider.Shutdown(context.Background()) // it has nothing to send, and only the second call fails
}

const namespace = "relaystream_autoconfig_hub"

// A hubCollector is a prometheus.Collector of a hub's statistics.
type hubCollector struct{ hub *hub.Hub }

// Describe implements prometheus.Collector.
func (c hubCollector) Describe(descriptions chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, descriptions)
}

// Collect implements prometheus.Collector.
func (c hubCollector) Collect(into chan<- prometheus.Metric) {
	s := c.hub.Stats()
	lag := 0
	for _, r := range c.hub.Readers() {
		lag = max(lag, r.Lag)
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	for _, m := range []struct {
		name, help string
		kind       prometheus.ValueType
		label      string
		values     map[string]float64
	}{
		{"readers", "Readers of the stream.", gauge, "", one(s.Readers)},
		{"reader_lag_bytes", "Changes waiting for the reader that is furthest behind.", gauge, "", one(lag)},
		{"served_total", "Streams begun.", counter, "", one(s.Served)},
		{"sent_bytes_total", "Bytes of events written to readers.", counter, "", one(s.Bytes)},
		{"refused_total", "Requests refused.", counter, "reason", map[string]float64{
			"unauthorized": float64(s.Refused.Unauthorized), "malformed": float64(s.Refused.Malformed), "failed": float64(s.Refused.Failed),
			"unavailable": float64(s.Refused.Unavailable), "address": float64(s.Refused.Address),
		}},
		{"cut_off_total", "Readers cut off because they did not read.", counter, "reason", map[string]float64{
			"lagging": float64(s.Lagging), "timeout": float64(s.TimedOut),
		}},
		{"encoded_total", "Events encoded, each once for all readers.", counter, "event", map[string]float64{
			"put": float64(s.Puts), "patch": float64(s.Patches), "delete": float64(s.Deletes),
		}},
	} {
		var labels []string
		if m.label != "" {
			labels = []string{m.label}
		}
		description := prometheus.NewDesc(namespace+"_"+m.name, m.help, labels, nil)
		for value, n := range m.values {
			into <- prometheus.MustNewConstMetric(description, m.kind, n, []string{value}[:len(labels)]...)
		}
	}
}

// one is the only value of a metric without a label.
func one[N int | uint64](n N) map[string]float64 { return map[string]float64{"": float64(n)} }
