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
//  5. Close ends the log within 80 ms, whatever the logger does. After it has returned no line is begun.
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
	// closeWriting is how long Close lets waiting lines be written, and closeWaiting how long it waits in all.
	closeWriting = 50 * time.Millisecond
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

	adding  sync.Mutex
	next    note                  // what put is to pass on
	put     func(emit func(note)) // is putNext, bound once so that adding need not allocate
	place   uint64                // the last one that was given out
	merging bool                  // whether new notes share that place
	early   []note                // recorded before Run
	running bool                  // whether Run gets the notes

	closing sync.Mutex // guards the following
	until   time.Time  // when writing ends; zero before Close
	shut    bool       // whether Close has returned
}

// New returns a journal that writes to log, or nowhere if log is nil.
func New(log *slog.Logger) *Journal {
	j := &Journal{handler: slog.DiscardHandler, notes: stream.NewSubject[note](), done: make(chan struct{})}
	if log != nil {
		j.handler = log.Handler()
	}
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

// Close ends the log. Lines that wait are still written for 50 ms; then one line says how many were left
// out, and Run returns. Close waits for that for 80 ms in all, so that a call of the logger that takes longer
// delays nobody. When that call returns, Run returns too and writes nothing more.
//
// If Run has not been called yet, Close waits for it in the same way. It may be called several times.
func (j *Journal) Close() {
	deadline := j.beginClosing()
	j.notes.Close(nil)
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-j.done:
	case <-timer.C:
	}
	j.closing.Lock()
	defer j.closing.Unlock()
	j.shut = true
}

// beginClosing returns when Close is to return at the latest.
func (j *Journal) beginClosing() time.Time {
	j.closing.Lock()
	defer j.closing.Unlock()
	if j.until.IsZero() {
		j.until = time.Now().Add(closeWriting)
	}
	return j.until.Add(closeWaiting - closeWriting)
}

// open reports whether waiting lines may still be written.
func (j *Journal) open() bool {
	j.closing.Lock()
	defer j.closing.Unlock()
	return j.until.IsZero() || time.Now().Before(j.until)
}

// closed reports whether Close has returned, so that no line may be written.
func (j *Journal) closed() bool {
	j.closing.Lock()
	defer j.closing.Unlock()
	return j.shut
}
