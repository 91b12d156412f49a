// Package journal writes the log of a client.
//
// What happens is recorded at once and written later, on a goroutine of its own, so that a slow logger
// delays neither the client nor its subscribers:
//
//  1. Recording never waits, whatever the logger does. It costs one call of the handler's Enabled if the
//     level is disabled. As in package slog, Enabled must be quick.
//  2. Lines are written in the order in which they were recorded, with the time of what they tell.
//  3. Up to 1,024 events wait for the logger. Those that come when as many wait are merged by message, until
//     all 1,024 are written: one line then gives their number, in its text and as the attribute more.
//  4. One change writes at most 32 lines about expiring keys, and at most 32 about expired ones; one more line
//     of each kind gives the number of the others.
//  5. Close ends the log within 80 ms, whatever the logger does. Waiting lines are written for 25 ms, and those of
//     level warn and above for 50 ms, so that the reason why a client ended outlives what waits before it. The
//     others are left out, and a last line gives their number.
//  6. The writer looks at the clock right before each call of the logger. It makes none later than 50 ms after
//     Close began, and none for the last line later than 70 ms. So after Close has returned no line is begun,
//     unless the scheduler stops the writer for 10 ms between the look and the call.
//
// No line shows a key, a URL's user or a URL's query. Errors are logged as they are: those of this module do
// not show secrets.
package journal

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relaystream/autoconfig/stream"
)

const (
	// limit is how many notes wait for the logger before they are merged.
	limit = 1024
	// The following are times since Close began: until when all lines are begun, those of level warn and above, and
	// the last one, and until when Close waits.
	closeAll     = 25 * time.Millisecond
	closeWarn    = 50 * time.Millisecond
	closeLast    = 70 * time.Millisecond
	closeWaiting = 80 * time.Millisecond
)

// A Journal records what happens to a client and writes it to a logger. All methods but Run may be called
// concurrently.
//
// Concurrency: adding serializes the recording methods and guards next. The lock of notes, which is taken
// inside of it, guards the fields from place to running. The writer holds neither while it writes.
type Journal struct {
	handler slog.Handler
	notes   *stream.Subject[note]
	waiting atomic.Int64  // the notes with a place of their own that are not written yet
	done    chan struct{} // closed when Run has ended
	opened  atomic.Bool   // whether a connection is open
	silent  bool          // whether the handler discards everything, always

	adding  sync.Mutex
	next    note                  // what put is to pass on
	put     func(emit func(note)) // is putNext, bound once so that adding need not allocate
	place   uint64                // the last one that was given out
	merging bool                  // whether new notes share that place
	early   []note                // recorded before Run
	running bool                  // whether Run gets the notes

	closing atomic.Pointer[time.Time] // when Close began; nil before
}

// New returns a journal that writes to log, or nowhere if log is nil.
func New(log *slog.Logger) *Journal {
	j := &Journal{handler: slog.DiscardHandler, notes: stream.NewSubject[note](), done: make(chan struct{})}
	if log != nil {
		j.handler = log.Handler()
	}
	j.silent = j.handler == slog.DiscardHandler
	j.put = j.putNext
	return j
}

func (j *Journal) enabled(level slog.Level) bool {
	return j.handler.Enabled(context.Background(), level)
}

// add records n. It does nothing after Close.
func (j *Journal) add(n note) {
	j.adding.Lock()
	defer j.adding.Unlock()
	j.next = n
	j.next.at = time.Now()
	// The only error is that of a closed subject.
	_ = j.notes.Update(context.Background(), j.put)
	j.next = note{}
}

// putNext gives the next note its place and passes it on.
func (j *Journal) putNext(emit func(note)) {
	j.assignPlace(&j.next)
	if j.running {
		emit(j.next)
	} else {
		j.addEarly(j.next)
	}
}

// assignPlace gives n a place of its own, or one that it shares with what else is recorded until all
// that waits is written.
func (j *Journal) assignPlace(n *note) {
	switch waiting := j.waiting.Load(); {
	case waiting == 0:
		j.merging = false
	case waiting >= limit && !j.merging:
		j.merging = true
		j.place++
	}
	if !j.merging {
		j.place++
		j.waiting.Add(1)
	}
	n.place, n.shared = j.place, j.merging
	if n.shared && touchesKeys(n.change) {
		n.keyed = 1
	}
}

// addEarly keeps a note for Run.
func (j *Journal) addEarly(n note) {
	for i := limit; i < len(j.early); i++ {
		if j.early[i].kind() == n.kind() {
			j.early[i], _ = merge(j.early[i], n)
			return
		}
	}
	j.early = append(j.early, n)
}

// takeEarly returns what was recorded before Run.
func (j *Journal) takeEarly() []note {
	early := j.early
	j.early, j.running = nil, true
	return early
}

// Run writes what was and will be recorded, on the caller's goroutine, until Close. It must be called once.
//
// A panic of the logger is not recovered: Run panics. If the caller recovers, nothing more is written, the
// recording methods do nothing, and Close returns at once.
func (j *Journal) Run() {
	defer close(j.done)
	w := writer{journal: j}
	// Which notes are merged is a matter of their places: the policy itself may merge as soon as two wait.
	policy := stream.Coalesce(1, note.kind, merge)
	// There is no error: the journal alone ends the notes.
	_ = j.notes.Observe(policy, j.takeEarly)(context.Background(), w.write)
	w.finish()
}

// Close ends the log. Lines that wait are still written for 25 ms, and those of level warn and above for 25 ms
// more; then one line says how many were left out, and Run returns. Close waits for that for 80 ms in all, so that a
// call of the logger that takes longer delays nobody. When that call returns, Run returns too and writes nothing more.
//
// If Run has not been called yet, Close waits for it in the same way. It may be called several times.
func (j *Journal) Close() {
	now := time.Now()
	j.closing.CompareAndSwap(nil, &now)
	j.notes.Close(nil)
	timer := time.NewTimer(closeWaiting - time.Since(*j.closing.Load()))
	defer timer.Stop()
	select {
	case <-j.done:
	case <-timer.C:
	}
}

// closedFor reports whether Close began at least d ago.
func (j *Journal) closedFor(d time.Duration) bool {
	began := j.closing.Load()
	return began != nil && time.Since(*began) >= d
}
