package cache

import "github.com/relaystream/autoconfig/internal/enum"

// A Kind tells what an Event reports.
type Kind uint8

const (
	// Loaded reports that Load has found a usable configuration and is about to yield it.
	Loaded Kind = iota + 1
	// NotFound reports that the Store holds nothing.
	NotFound
	// LoadFailed reports that Load yields nothing because of Err.
	LoadFailed
	// SetAsideFailed reports that unusable data was not set aside because of Err. The save that is about to
	// replace it follows all the same.
	SetAsideFailed
	// Saved reports that the Store has saved a configuration.
	Saved
	// SaveFailed reports that a configuration was not saved because of Err.
	SaveFailed
)

// String returns the kind in words.
func (k Kind) String() string {
	return enum.Name("Kind", k, []string{
		Loaded: "loaded", NotFound: "not found", LoadFailed: "load failed", SetAsideFailed: "set aside failed",
		Saved: "saved", SaveFailed: "save failed",
	})
}

// An Event is something that happened to the saved configuration. It holds no keys.
type Event struct {
	Kind Kind
	// Err is the reason, of the kinds that report a failure.
	Err error
	// Environments and Filters are how many there are, of Loaded and Saved.
	Environments, Filters int
}

// Stats sums up the events of a Cache.
type Stats struct {
	// Loaded is true once Load has yielded a saved configuration.
	Loaded bool
	// LoadErr is why Load yielded nothing: an error of the Store or of the key, or one that matches ErrDamaged,
	// ErrForeign, ErrVersion or ErrTooLarge. It is nil if the Store held nothing, and if the context ended first.
	LoadErr error
	// Saves counts the configurations saved, and Failures the attempts that failed.
	Saves, Failures uint64
	// SaveErr is why the last attempt failed; it is nil if that succeeded.
	SaveErr error
}

// add counts e.
func (s *Stats) add(e Event) {
	switch e.Kind {
	case Loaded:
		s.Loaded = true
	case LoadFailed:
		s.LoadErr = e.Err
	case Saved:
		s.Saves++
		s.SaveErr = nil
	case SaveFailed:
		s.Failures++
		s.SaveErr = e.Err
	}
}
