module github.com/relaystream/autoconfig/hub

go 1.25.0

replace (
	github.com/relaystream/autoconfig => ../
	github.com/relaystream/autoconfig/otel => ../otel
)

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/relaystream/autoconfig v0.0.0-00010101000000-000000000000
	go.uber.org/goleak v1.3.0
)

require (
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/launchdarkly/eventsource v1.14.0 // indirect
	github.com/launchdarkly/go-sdk-common/v3 v3.4.0 // indirect
)
