package autoconfigotel

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// A Publisher is the status of a publisher of a fleet. It has the fields of Status in module fleet, which converts to it,
// so that neither module depends on the other.
type Publisher struct {
	Holding                   bool
	Since                     time.Time
	Written, Refused, Skipped uint64
	Err                       error
}

// RegisterPublisher is Register for a publisher of a fleet. It calls status at each collection:
//
//	autoconfigotel.RegisterPublisher(meter, func() autoconfigotel.Publisher { return autoconfigotel.Publisher(status.Get()) })
//
// It panics if status is nil.
func RegisterPublisher(meter metric.Meter, status func() Publisher, attributes ...attribute.KeyValue) (metric.Registration, error) {
	if status == nil {
		panic("autoconfigotel: RegisterPublisher: nil status")
	}
	return register(meter, publisherMeasures(), status, attributes)
}

func publisherMeasures() []measure[Publisher] {
	return []measure[Publisher]{
		{upDownCounter, "publisher.holding", "1", "1 while the publisher holds the lease, 0 while it stands by.", "", holding},
		{counter, "publisher.writes", "{entry}", "Entries for the bucket.", "write.outcome", writes},
	}
}

func holding(p *Publisher) []point {
	if p.Holding {
		return []point{{"", 1}}
	}
	return []point{{}}
}

func writes(p *Publisher) []point {
	return []point{{"written", float64(p.Written)}, {"refused", float64(p.Refused)}, {"skipped", float64(p.Skipped)}}
}
