package main

import "github.com/launchdarkly/go-sdk-common/v3/ldlog"

// LoggersOf returns loggers of go-sdk-common version 3 that write to those of another version. Relay 6 has
// loggers of version 2:
//
//	LoggersOf(loggers.GetMinLevel(), loggers.ForLevel)
func LoggersOf[Level ~int, Base ldlog.BaseLogger](minimum Level, forLevel func(Level) Base) (loggers ldlog.Loggers) {
	for level := ldlog.Debug; level <= ldlog.Error; level++ {
		loggers.SetBaseLoggerForLevel(level, unprefixed{forLevel(Level(level))})
	}
	loggers.SetMinLevel(ldlog.LogLevel(minimum))
	return loggers
}

// unprefixed leaves the prefix, which begins with the level, to the loggers that it writes to.
type unprefixed struct{ ldlog.BaseLogger }

func (u unprefixed) Println(values ...any) { u.BaseLogger.Println(values[1:]...) }
