module github.com/relaystream/autoconfig/hub

go 1.25.0

replace github.com/relaystream/autoconfig => ../

require (
	github.com/google/go-cmp v0.7.0
	github.com/launchdarkly/eventsource v1.14.0
	github.com/relaystream/autoconfig v0.0.0-00010101000000-000000000000
	go.uber.org/goleak v1.3.0
)

require (
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	github.com/launchdarkly/go-sdk-common/v3 v3.4.0 // indirect
)
