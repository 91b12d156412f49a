package journal

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
)

// A book is a slog.Handler that keeps the lines. It can be slow, and can be stopped.
type book struct {
	minimum  slog.LevelVar
	duration time.Duration // of a line

	writing chan struct{} // holds a token while a line is written, and while the book is stopped

	mu    sync.Mutex
	begun []time.Time // when Handle was called
	lines []slog.Record
}

func newBook() *book {
	b := &book{writing: make(chan struct{}, 1)}
	b.minimum.Set(slog.LevelDebug)
	return b
}

func (b *book) Enabled(_ context.Context, level slog.Level) bool { return level >= b.minimum.Level() }
func (b *book) WithAttrs([]slog.Attr) slog.Handler               { panic("not used") }
func (b *book) WithGroup(string) slog.Handler                    { panic("not used") }

func (b *book) Handle(_ context.Context, r slog.Record) error {
	b.mu.Lock()
	b.begun = append(b.begun, time.Now())
	b.mu.Unlock()
	time.Sleep(b.duration)
	b.stop()
	defer b.goOn()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, r)
	return nil
}

// stop makes every call wait until goOn.
func (b *book) stop() { b.writing <- struct{}{} }
func (b *book) goOn() { <-b.writing }

// take returns the lines since the last call.
func (b *book) take() []slog.Record {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := b.lines
	b.lines = nil
	return lines
}

// text returns a line as its level, message and attributes.
func text(r slog.Record) string {
	var line strings.Builder
	fmt.Fprint(&line, r.Level, " ", r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprint(&line, " ", a)
		return true
	})
	return line.String()
}

func texts(records []slog.Record) (lines []string) {
	for _, r := range records {
		lines = append(lines, text(r))
	}
	return lines
}

// inBubble gives f a running journal and its book in virtual time, and closes the journal.
func inBubble(t *testing.T, f func(t *testing.T, j *Journal, b *book)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		j := New(slog.New(b))
		go j.Run()
		defer j.Close()
		synctest.Wait() // until it listens
		f(t, j, b)
	})
}

// written returns the lines of what f records.
func written(t *testing.T, level slog.Level, f func(j *Journal)) (lines []string) {
	t.Helper()
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.minimum.Set(level)
		f(j)
		synctest.Wait()
		lines = texts(b.take())
	})
	return lines
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// An option changes an environment of a test.
type option func(e *decode.EnvironmentRep)

func environmentOf(id decode.EnvironmentID, version int, options ...option) *decode.EnvironmentRep {
	e := &decode.EnvironmentRep{EnvID: id, ProjName: "Project", EnvName: "Env", Version: version}
	e.SDKKey.Value = "sdk-current-0000"
	e.MobKey = "mob-current-0000"
	for _, set := range options {
		set(e)
	}
	return e
}

// slot puts a key in the single slot.
func slot(key decode.SDKKey, at int64) option {
	return func(e *decode.EnvironmentRep) { e.SDKKey.Expiring = decode.ExpiringKeyRep{Value: key, Timestamp: at} }
}

func added(e *decode.EnvironmentRep) diff.Change {
	return diff.Change{Kind: diff.EnvironmentAdded, New: e}
}

func updated(before, after *decode.EnvironmentRep) diff.Change {
	return diff.Change{Kind: diff.EnvironmentUpdated, Old: before, New: after}
}

// addMany records n environments without keys that expire.
func addMany(j *Journal, n int) {
	for i := range n {
		j.Change(added(environmentOf(decode.EnvironmentID(fmt.Sprint("e", i)), 1)))
	}
}
