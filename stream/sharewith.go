package stream

import "time"

// ShareOptions are what may differ between Share, Replay and the like. With the zero value, ShareWith
// is Share.
type ShareOptions[T any] struct {
	// Policy is that of every subscriber. The default is Block(128).
	Policy Policy[T]
	// Replay is how many of the last values a newcomer gets first. The default is none.
	Replay int
	// MaxAge limits them to those that are younger. 0, the default, is no limit.
	MaxAge time.Duration
	// KeepCompletion and KeepError say what happens to a newcomer after o has completed or failed. By
	// default it begins anew, with another subscription to o. If kept, it gets the remembered values
	// and then the same end.
	KeepCompletion, KeepError bool
}

// ShareWith is Share with options; nil stands for their zero value. Replay is ShareWith with Replay and
// KeepCompletion. ShareWith panics if the number of values to replay is negative.
//
// When the last subscriber leaves before o has ended, the subscription to o ends and the remembered
// values are forgotten, whatever the options are: no subscription leaves anything running. To let o go
// on without subscribers, publish it to a ReplaySubject from a goroutine of your own.
func ShareWith[T any](o Observable[T], opts *ShareOptions[T]) Observable[T] {
	need(o != nil, "ShareWith")
	s := &shared[T]{o: o}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Replay < 0 {
		panic("stream: ShareWith with a negative number of values to replay")
	}
	return s.subscribe
}

// keeps reports whether a run that ended with err is what newcomers get.
func (o *ShareOptions[T]) keeps(err error) bool {
	if err != nil {
		return o.KeepError
	}
	return o.KeepCompletion
}
