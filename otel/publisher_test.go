package autoconfigotel_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/metric"

	autoconfigotel "github.com/relaystream/autoconfig/otel"
)

func ExampleRegisterPublisher() {
	reader := metric.NewManualReader()
	meter := metric.NewMeterProvider(metric.WithReader(reader)).Meter("my/program")
	status := func() autoconfigotel.Publisher {
		return autoconfigotel.Publisher{Holding: true, Written: 3} // of a program: autoconfigotel.Publisher(status.Get())
	}
	if _, err := autoconfigotel.RegisterPublisher(meter, status); err != nil {
		fmt.Println(err)
	}
	printMetrics(context.Background(), reader)

	// Output:
	// publisher.holding, up-down counter, 1: 1 while the publisher holds the lease, 0 while it stands by.
	// publisher.writes, counter, {entry}: Entries for the bucket.
	//     write.outcome=refused write.outcome=skipped write.outcome=written
}
