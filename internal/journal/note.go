package journal

import (
	"log/slog"
	"time"

	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream"
)

// A note is what was recorded of one event, or of several that were merged.
type note struct {
	at      time.Time
	level   slog.Level
	message string
	attrs   []slog.Attr // nil if the note is about change
	change  diff.Change // as the state emitted it: it may stand for several

	place  uint64 // in the order of all notes
	shared bool   // whether others may have the same place
	more   int    // how many notes were merged, 0 if it is one
	keyed  int    // how many of them are changes of environments whose keys expire
}

// A kind is what notes that are merged have in common.
type kind struct {
	place   uint64
	level   slog.Level
	message string
}

func (n note) kind() kind { return kind{n.place, n.level, n.message} }

func (n note) count() int { return max(n.more, 1) }

// merge returns a note that counts, in the place of the older one and with the attributes of the newer one.
func merge(older, newer note) (note, stream.Place) {
	older.attrs = newer.attrs
	older.more = older.count() + newer.count()
	older.keyed += newer.keyed
	return older, stream.AtOlder
}
