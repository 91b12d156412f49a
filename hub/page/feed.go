package page

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/stream"
)

const (
	logLimit     = 200 // changes that are kept for newcomers
	historyLimit = 50  // statuses that are kept for newcomers
	readersLimit = 100 // readers that are listed

	batchLimit = 256                    // changes in one event
	batchDelay = 100 * time.Millisecond // that a change waits for others
	pulseEvery = 2 * time.Second        // between two events that tell of readers and counts
	viewerLag  = 128                    // events that may wait for a viewer
)

// A feed is what the page shows, and the events that tell viewers of it. Its fields change within subject.Update
// only.
type feed struct {
	client  *autoconfig.Client
	readers func() []hub.Reader
	version string // of the page's files
	subject *stream.Subject[message]

	items   map[diff.Subject]autoconfig.Change // each as an addition
	synced  bool                               // changes are news from now on
	logged  uint64                             // changes that were logged
	log     []entry                            // the last of them
	status  status
	history []status
}

func newFeed(client *autoconfig.Client, readers func() []hub.Reader, version string) *feed {
	if readers == nil {
		readers = func() []hub.Reader { return nil }
	}
	now := statusOf(client.Stats().Status)
	now.Recorded = true
	return &feed{
		client: client, readers: readers, version: version,
		subject: stream.NewSubject[message](), items: make(map[diff.Subject]autoconfig.Change), status: now, history: []status{now},
	}
}

// An update changes the feed and emits the events that tell of it.
type update func(emit func(message))

// run follows the client until ctx ends. The end of the client ends nothing: its last status tells.
func (f *feed) run(ctx context.Context) {
	live := stream.OnErrorResume(diff.Split(f.client.Changes()), stream.Empty[autoconfig.Change]())
	changes := stream.Map(stream.BatchTime(live, batchLimit, batchDelay), f.change)
	statuses := stream.Map(stream.OnErrorResume(f.client.Status(), stream.Empty[autoconfig.Status]()), f.changeStatus)
	pulses := stream.Map(stream.Interval(pulseEvery), func(time.Time) update { return f.pulse })
	// The error is the end of ctx.
	_ = stream.Merge(changes, statuses, pulses).ForEach(ctx, func(u update) error { return f.subject.Update(ctx, u) })
}

// observe returns the state as events, and then those that follow. It fails for a viewer that falls behind.
func (f *feed) observe() stream.Observable[message] {
	return f.subject.Observe(stream.FailSlow[message](viewerLag), f.snapshot)
}

// snapshot returns the events that show a newcomer the state.
func (f *feed) snapshot() []message {
	events := []message{retryMessage(), newMessage("hello", hello{Version: f.version, Now: time.Now(), Synced: f.synced})}
	for items := range slices.Chunk(slices.Collect(maps.Values(f.items)), batchLimit) {
		events = append(events, newMessage("items", items))
	}
	return append(events,
		newMessage("log", logged{Total: f.logged, Entries: slices.Clone(f.log)}),
		newMessage("history", slices.Clone(f.history)),
		newMessage("status", f.status),
		f.pulseMessage(),
		newMessage("ready", struct{}{}))
}

// change applies a batch of changes. Until the configuration is complete they are its content, and not news.
func (f *feed) change(batch []autoconfig.Change) update {
	return func(emit func(message)) {
		now := time.Now()
		first := slices.IndexFunc(batch, func(c autoconfig.Change) bool { return c.Kind == autoconfig.Synced })
		news := batch
		if !f.synced {
			if first < 0 {
				first = len(batch)
			}
			f.apply(batch[:first])
			emit(newMessage("items", batch[:first]))
			if news = batch[first:]; len(news) == 0 {
				return
			}
			f.synced = true
		}
		entries := make([]entry, 0, len(news))
		for _, c := range news {
			f.apply([]autoconfig.Change{c})
			f.logged++
			entries = append(entries, f.entry(c, now))
		}
		f.log = last(logLimit, f.log, entries)
		emit(newMessage("changes", logged{Total: f.logged, Entries: entries}))
	}
}

// apply brings the items up to date.
func (f *feed) apply(changes []autoconfig.Change) {
	for _, c := range changes {
		switch c.Kind {
		case autoconfig.Synced:
		case autoconfig.EnvironmentDeleted, autoconfig.FilterDeleted:
			delete(f.items, c.Subject())
		case autoconfig.FilterAdded, autoconfig.FilterUpdated:
			f.items[c.Subject()] = autoconfig.Change{Kind: autoconfig.FilterAdded, NewFilter: c.NewFilter}
		default:
			f.items[c.Subject()] = autoconfig.Change{Kind: autoconfig.EnvironmentAdded, New: c.New}
		}
	}
}

func (f *feed) changeStatus(s autoconfig.Status) update {
	return func(emit func(message)) {
		before := f.status
		f.status = statusOf(s)
		if f.status.Recorded = f.status.tellsMoreThan(before); f.status.Recorded {
			f.history = last(historyLimit, f.history, []status{f.status})
		}
		emit(newMessage("status", f.status))
	}
}

// pulse tells viewers, if there are any, of what changes all the time.
func (f *feed) pulse(emit func(message)) { emit(f.pulseMessage()) }

func (f *feed) pulseMessage() message {
	return lazyMessage("pulse", func() any { return pulseOf(f.client.Stats(), f.readers()) })
}

// last returns the last n values of both slices, in a slice that does not share memory with either.
func last[T any](n int, older, newer []T) []T {
	if len(newer) >= n {
		return slices.Clone(newer[len(newer)-n:])
	}
	older = older[max(0, len(older)+len(newer)-n):]
	return slices.Concat(older, newer)
}
