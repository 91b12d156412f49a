package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
)

// retryDelay is how long a browser waits before it connects again.
const retryDelay = time.Second

// A message is an event for the viewers. It is encoded when the first of them needs it, once for all.
type message struct {
	encode func() []byte
}

// newMessage returns the event with that name and v as its data. v must not change afterwards.
func newMessage(name string, v any) message { return lazyMessage(name, func() any { return v }) }

// lazyMessage is newMessage for data that is made when it is needed.
func lazyMessage(name string, data func() any) message {
	return message{encode: sync.OnceValue(func() []byte {
		var b bytes.Buffer
		b.WriteString("event: " + name + "\ndata: ")
		// JSON has no line feed within, and the encoder ends it with one. No type here fails to encode.
		_ = json.NewEncoder(&b).Encode(data())
		b.WriteString("\n")
		return b.Bytes()
	})}
}

// retryMessage tells the browser when to connect again.
func retryMessage() message {
	return message{encode: func() []byte { return fmt.Appendf(nil, "retry: %d\n\n", retryDelay.Milliseconds()) }}
}

// hello begins a stream of events.
type hello struct {
	Version string    `json:"version"`
	Now     time.Time `json:"now"`
	Synced  bool      `json:"synced"`
}

// logged is a piece of the log of changes.
type logged struct {
	// Total counts the changes up to the last of Entries.
	Total   uint64  `json:"total"`
	Entries []entry `json:"entries"`
}

// An entry is a change with what differs. It is encoded, and its differences looked for, when it is shown.
type entry struct {
	number                uint64
	at                    time.Time
	change                autoconfig.Change
	environments, filters int // that there were, for Synced
}

func (f *feed) entry(c autoconfig.Change, at time.Time) entry {
	e := entry{number: f.logged, at: at, change: c}
	if c.Kind == autoconfig.Synced {
		for subject := range f.items {
			if subject.Environment != "" {
				e.environments++
			}
		}
		e.filters = len(f.items) - e.environments
	}
	return e
}

// MarshalJSON implements json.Marshaler. Keys are masked, because a Change masks them.
func (e entry) MarshalJSON() ([]byte, error) {
	j := struct {
		Number       uint64             `json:"number"`
		At           time.Time          `json:"at"`
		Change       autoconfig.Change  `json:"change"`
		Fields       []autoconfig.Field `json:"fields,omitempty"`
		Environments int                `json:"environments,omitempty"`
		Filters      int                `json:"filters,omitempty"`
	}{Number: e.number, At: e.at, Change: e.change, Environments: e.environments, Filters: e.filters}
	switch e.change.Kind {
	case autoconfig.EnvironmentUpdated, autoconfig.FilterUpdated:
		j.Fields = e.change.Fields()
	}
	return json.Marshal(j)
}

// A status is an autoconfig.Status for the page.
type status struct {
	At          time.Time        `json:"at"`
	State       autoconfig.State `json:"state"`
	Since       time.Time        `json:"since"`
	Error       string           `json:"error,omitempty"`
	ErrorAt     time.Time        `json:"errorAt,omitzero"`
	Code        int              `json:"code,omitempty"`
	Attempt     int              `json:"attempt"`
	NextAttempt time.Time        `json:"nextAttempt,omitzero"`
	Cached      bool             `json:"cached,omitempty"`
	Outdated    time.Time        `json:"outdatedSince,omitzero"`
	// Recorded is set if the status belongs into the history.
	Recorded bool `json:"recorded,omitempty"`
}

// maxText bounds an error, which may be a long chain of causes, and what a reader says that it is; in bytes.
const maxText = 400

func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "") }

func statusOf(s autoconfig.Status) status {
	t := status{
		At: time.Now(), State: s.State, Since: s.Since, ErrorAt: s.At, Code: s.Code, Attempt: s.Attempt,
		NextAttempt: s.NextAttempt, Cached: s.Cached, Outdated: s.OutdatedSince,
	}
	if s.Err != nil {
		t.Error = cut(s.Err.Error())
	}
	return t
}

// tellsMoreThan reports whether t differs from the status before by more than an attempt that began.
func (t status) tellsMoreThan(before status) bool {
	return t.State != before.State || t.Cached != before.Cached || !t.ErrorAt.Equal(before.ErrorAt)
}

// A pulse tells of what changes all the time.
type pulse struct {
	Now     time.Time `json:"now"`
	Stats   counts    `json:"stats"`
	Readers readers   `json:"readers"`
}

// counts are those of autoconfig.Stats that the page shows.
type counts struct {
	Attempts    uint64    `json:"attempts"`
	Connections uint64    `json:"connections"`
	Bytes       uint64    `json:"bytes"`
	Events      uint64    `json:"events"`
	LastRead    time.Time `json:"lastRead,omitzero"`
	LastChange  time.Time `json:"lastChange,omitzero"`
}

// readers are those of the hub: how many there are, and those that are furthest behind.
type readers struct {
	Total  int      `json:"total"`
	MaxLag int      `json:"maxLag"`
	Listed []reader `json:"listed"`
}

type reader struct {
	Address   string    `json:"address"`
	Since     time.Time `json:"since"`
	Protocol  int       `json:"protocol"`
	UserAgent string    `json:"userAgent"`
	Lag       int       `json:"lag"`
}

func pulseOf(s autoconfig.Stats, all []hub.Reader) pulse {
	p := pulse{Now: time.Now(), Stats: counts{
		Attempts: s.Attempts, Connections: s.Connections, Bytes: s.Bytes, Events: s.Events, LastRead: s.LastRead, LastChange: s.LastChange,
	}, Readers: readers{Total: len(all), Listed: []reader{}}}
	all = slices.SortedFunc(slices.Values(all), func(a, b hub.Reader) int {
		return cmp.Or(cmp.Compare(b.Lag, a.Lag), a.Since.Compare(b.Since), cmp.Compare(a.Address, b.Address))
	})
	for _, r := range all[:min(len(all), readersLimit)] {
		p.Readers.MaxLag = max(p.Readers.MaxLag, r.Lag)
		p.Readers.Listed = append(p.Readers.Listed, reader{r.Address, r.Since, r.ProtocolVersion, cut(r.UserAgent), r.Lag})
	}
	return p
}
