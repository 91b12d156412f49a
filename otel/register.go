package autoconfigotel

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/relaystream/autoconfig"
)

const namespace = "relaystream.autoconfig."

// Register creates an instrument of meter for each metric, and reads client at each collection. All
// measurements carry the attributes, which must distinguish clients if several are registered, and
// should not contain a key.
//
// The registration keeps the client in memory, even a closed one, until Unregister is called. The
// error is that of meter. Register panics if client is nil.
func Register(meter metric.Meter, client *autoconfig.Client, attributes ...attribute.KeyValue) (metric.Registration, error) {
	if client == nil {
		panic("autoconfigotel: Register: nil client")
	}
	return register(meter, measures(), client.Stats, attributes)
}

func register[S any](meter metric.Meter, measures []measure[S], read func() S, attributes []attribute.KeyValue) (metric.Registration, error) {
	instruments, err := newInstruments(meter, measures)
	if err != nil {
		return nil, err
	}
	attributes = slices.Clone(attributes)
	observables := make([]metric.Observable, len(instruments))
	for i := range instruments {
		observables[i] = instruments[i].observable
	}
	return meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		stats := read()
		for i := range instruments {
			instruments[i].observe(o, &stats, attributes)
		}
		return nil
	}, observables...)
}

// An instrument is a measure with the observable that a meter made for it.
type instrument[S any] struct {
	*measure[S]
	observable metric.Observable
	// record calls the method of an observer that suits the observable.
	record func(o metric.Observer, value float64, attributes metric.MeasurementOption)
}

func newInstruments[S any](meter metric.Meter, all []measure[S]) ([]instrument[S], error) {
	instruments := make([]instrument[S], len(all))
	for i := range all {
		instruments[i].measure = &all[i]
		if err := instruments[i].create(meter); err != nil {
			return nil, err
		}
	}
	return instruments, nil
}

func (i *instrument[S]) create(meter metric.Meter) error {
	var integer metric.Int64Observable
	var err error
	name, unit, description := namespace+i.name, metric.WithUnit(i.unit), metric.WithDescription(i.description)
	switch i.kind {
	case counter:
		integer, err = meter.Int64ObservableCounter(name, unit, description)
	case upDownCounter:
		integer, err = meter.Int64ObservableUpDownCounter(name, unit, description)
	case gauge:
		integer, err = meter.Int64ObservableGauge(name, unit, description)
	case seconds:
		float, err := meter.Float64ObservableGauge(name, unit, description)
		i.observable, i.record = float, func(o metric.Observer, value float64, attributes metric.MeasurementOption) {
			o.ObserveFloat64(float, value, attributes)
		}
		return err
	}
	i.observable, i.record = integer, func(o metric.Observer, value float64, attributes metric.MeasurementOption) {
		o.ObserveInt64(integer, int64(value), attributes)
	}
	return err
}

func (i *instrument[S]) observe(o metric.Observer, stats *S, attributes []attribute.KeyValue) {
	for _, p := range i.read(stats) {
		all := slices.Clip(attributes)
		if i.attribute != "" {
			all = append(all, attribute.String(namespace+i.attribute, p.label))
		}
		i.record(o, p.value, metric.WithAttributes(all...))
	}
}
