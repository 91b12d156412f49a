// Package autoconfigotel exports the statistics of an [autoconfig.Client] as OpenTelemetry metrics. It
// is a module of its own, so that programs without OpenTelemetry do not depend on it.
//
//	registration, err := autoconfigotel.Register(otel.Meter("my/program"), client)
//
// Each collection calls [autoconfig.Client.Stats] once; nothing happens in between. The example of
// [Register] lists all metrics. The fields of [autoconfig.Stats] say what they mean. With a Cache, one of the
// subscribers that are counted saves the configuration; its policy is DropOldest.
package autoconfigotel
