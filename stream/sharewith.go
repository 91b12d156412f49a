package stream

import "time"

// ShareOptions are the options of ShareWith. The zero value makes it Share.
type ShareOptions[T any] struct {
	// Policy is that of every subscriber. The default is Block(128).
	Policy Policy[T]
	// Replay is how many of the last values a newcomer gets first. The default is none.
	Replay int
	// MaxAge is how old a value that is replayed may be. The default is any age.
	MaxAge time.Duration
	// KeepCompletion and KeepError say what a newcomer gets after o has completed or failed. By default
	// there is another subscription to o. If true, the newcomer gets the values to replay and then the
	// same end.
	KeepCompletion, KeepError bool
}

// ShareWith is Share with options; nil options are their zero value. It panics if Replay or MaxAge is
// negative.
//
// When the last subscriber leaves before o has ended, the subscription to o ends and its values are
// forgotten, with any options: no subscription leaves anything running. To let o run on without
// subscribers, publish its values to a ReplaySubject from a goroutine of your own.
func ShareWith[T any](o Observable[T], opts *ShareOptions[T]) Observable[T] {
	need(o != nil, "ShareWith")
	s := &shared[T]{o: o}
	if opts != nil {
		s.opts = *opts
	}
	notNegative(s.opts.Replay, "ShareWith")
	notNegative(s.opts.MaxAge, "ShareWith")
	return s.subscribe
}

// keeps reports whether a run that ended with err is what newcomers get.
func (o *ShareOptions[T]) keeps(err error) bool {
	if err != nil {
		return o.KeepError
	}
	return o.KeepCompletion
}
