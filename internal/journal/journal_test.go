package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream/sse"
)

// TestSlowLogger takes 1 ms a line, and hears of 100,000 environments.
func TestSlowLogger(t *testing.T) {
	const many = 100_000
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.duration = time.Millisecond
		start := time.Now()
		addMany(j, many)
		if d := time.Since(start); d != 0 {
			t.Errorf("recording took %v", d)
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		before := len(b.take())
		if before < 99 || before > 101 {
			t.Errorf("%d lines in 100 ms", before)
		}

		start = time.Now()
		j.Close()
		if d := time.Since(start); d < 25*time.Millisecond || d > 27*time.Millisecond {
			t.Errorf("Close took %v", d)
		}
		got := texts(b.take())
		if len(got) < 25 || len(got) > 27 {
			t.Errorf("%d lines after Close", len(got))
		}
		last := len(got) - 1
		expect(t, "last line", got[last:], fmt.Sprintf("WARN lines left out at the end more=%d", many-before-last))
		expectSilence(t, j, b)
	})
}

// TestCloseWritesTheReason of the end, and other warnings, in spite of all that waits before it.
func TestCloseWritesTheReason(t *testing.T) {
	const many, reason = 20_000, "ERROR auto-configuration key rejected; giving up error=sse: status 401 Unauthorized"
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.duration = time.Millisecond
		addMany(j, many)
		for i := range 100 {
			if i == 5 {
				j.Lost(&sse.StatusError{Code: 401}, -1)
			}
			j.Note(slog.LevelWarn, fmt.Sprint("warning ", i))
		}
		start := time.Now()
		j.Close()
		if d := time.Since(start); d < 50*time.Millisecond || d > 52*time.Millisecond {
			t.Errorf("Close took %v", d)
		}
		got := texts(b.take())
		first := slices.IndexFunc(got, func(line string) bool { return !strings.HasPrefix(line, "INFO ") })
		if first < 24 || first > 26 || len(got)-first < 25 {
			t.Fatalf("%d lines, of which %d are written before the warnings", len(got), first)
		}
		expect(t, "then", got[first:first+7], "WARN warning 0", "WARN warning 1", "WARN warning 2", "WARN warning 3", "WARN warning 4",
			reason, "WARN warning 5")
		last := len(got) - 1
		expect(t, "last line", got[last:], fmt.Sprintf("WARN lines left out at the end more=%d", many+101-last))
		expectSilence(t, j, b)
	})
}

// expectSilence records and waits.
func expectSilence(t *testing.T, j *Journal, b *book) {
	t.Helper()
	j.Note(slog.LevelError, "recorded too late")
	time.Sleep(time.Hour)
	expect(t, "written after Close", texts(b.take()))
}

// TestStuckLogger does not return for an hour. It holds up nobody, and the log goes on afterwards.
func TestStuckLogger(t *testing.T) {
	const many = 30_000
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.stop()
		start := time.Now()
		addMany(j, many-1)
		j.Lost(errors.New("failed"), time.Second)
		j.Change(added(environmentOf("last", 1)))
		j.Lost(errors.New("failed again"), 2*time.Second)
		if d := time.Since(start); d != 0 {
			t.Errorf("recording took %v", d)
		}
		time.Sleep(time.Hour)
		b.goOn()
		synctest.Wait()
		records := b.take()
		got := texts(records)
		if len(got) != limit+2 {
			t.Fatalf("%d lines", len(got))
		}
		for i, line := range got[:limit] {
			if want := fmt.Sprintf("INFO environment added environment=e%d project=Project name=Env version=1", i); line != want {
				t.Fatalf("line %d is %q, want %q", i, line, want)
			}
			if !records[i].Time.Equal(start) {
				t.Fatalf("line %d has the time %v, want %v", i, records[i].Time, start)
			}
		}
		expect(t, "the rest", got[limit:],
			"INFO 28976 more: environment added more=28976",
			"WARN 2 more: connection failed error=failed again retry_in=2s more=2")

		addMany(j, 1)
		synctest.Wait()
		expect(t, "afterwards", texts(b.take()), "INFO environment added environment=e0 project=Project name=Env version=1")
	})
}

// TestMergedLinesKeepTheirPlace: what is recorded after the logger has caught up follows them.
func TestMergedLinesKeepTheirPlace(t *testing.T) {
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.stop()
		addMany(j, limit)
		for range 200 {
			j.Stale(diff.Subject{Environment: "e1"}, 1)
			j.Change(diff.Change{Kind: diff.Synced})
		}
		j.Note(slog.LevelWarn, "of two levels")
		j.Note(slog.LevelError, "of two levels")
		synctest.Wait() // until the writer is stuck in the first one
		b.duration = time.Millisecond
		b.goOn()
		time.Sleep((limit - 1) * time.Millisecond) // the first one took no time
		synctest.Wait()
		b.take()
		// All notes that are not merged are written, and four lines are not.
		addMany(j, limit)
		for range 200 {
			j.Change(diff.Change{Kind: diff.Synced})
		}
		time.Sleep(time.Hour)
		got := texts(b.take())
		if len(got) != 4+limit+1 {
			t.Fatalf("%d lines", len(got))
		}
		expect(t, "first ones", got[:5],
			"DEBUG 200 more: ignored: version is not newer environment=e1 version=1 more=200",
			"INFO 200 more: synced more=200",
			"WARN of two levels",
			"ERROR of two levels",
			"INFO environment added environment=e0 project=Project name=Env version=1")
		expect(t, "last one", got[4+limit:], "INFO 200 more: synced more=200")
	})
}

// TestMergedKeysAreCounted for a log that shows nothing else of the environments.
func TestMergedKeysAreCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.minimum.Set(slog.LevelWarn)
		b.stop()
		plain, expiring := environmentOf("e", 1), environmentOf("e", 2, slot("sdk-old-old-old", 5*second))
		for range limit + 100 {
			addMany(j, 20)
			j.Change(updated(plain, expiring))
		}
		for range 7 {
			j.Change(updated(expiring, plain)) // a key may have expired
			j.Change(diff.Change{Kind: diff.EnvironmentDeleted, Old: expiring})
			j.Change(diff.Change{Kind: diff.KeyExpired, Old: expiring, New: plain, Key: &diff.Key{SDKKey: "sdk-old-old-old"}})
		}
		b.goOn()
		synctest.Wait()
		got := texts(b.take())
		if len(got) < limit {
			t.Fatalf("%d lines", len(got))
		}
		expect(t, "last ones", got[limit:], "WARN 107 more: environment with keys that expire more=107",
			"WARN 7 more: key expired more=7")
	})
}

// TestBeforeRun nothing is written, and nothing is lost.
func TestBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		j := New(slog.New(b))
		addMany(j, limit)
		for range 100 {
			j.Change(diff.Change{Kind: diff.Synced})
			j.Connecting("https://host/")
		}
		go j.Run()
		synctest.Wait()
		j.Note(slog.LevelInfo, "running")
		j.Close()
		got := texts(b.take())
		if len(got) != limit+3 {
			t.Fatalf("%d lines", len(got))
		}
		expect(t, "first and last", append(got[:1], got[limit:]...),
			"INFO environment added environment=e0 project=Project name=Env version=1",
			"INFO 100 more: synced more=100",
			"INFO 100 more: connecting url=https://host/ more=100",
			"INFO running")
	})
}

func TestCloseWritesWhatWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		j.Lost(errors.New("failed"), -1)
		start := time.Now()
		j.Close()
		j.Close()
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
		expect(t, "log", texts(b.take()), "ERROR connection failed; giving up error=failed")
		expectSilence(t, j, b)
	})
}

// TestCloseDoesNotWaitForAStuckLogger and nothing is written when that goes on.
func TestCloseDoesNotWaitForAStuckLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		j := New(slog.New(b))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			j.Run()
		}()
		b.stop()
		addMany(j, 5000)
		start := time.Now()
		go j.Close()
		time.Sleep(10 * time.Millisecond)
		j.Close() // waits no longer than the first
		if d := time.Since(start); d != 80*time.Millisecond {
			t.Errorf("Close returned after %v", d)
		}
		time.Sleep(time.Hour)
		b.goOn()
		<-ended
		if got := b.take(); len(got) != 1 {
			t.Errorf("%d lines, want the one that was stuck", len(got))
		}
		expectSilence(t, j, b)
	})
}

// TestLastLineIsLate when a line takes longer than the others may, but not so long that Close might return meanwhile.
func TestLastLineIsLate(t *testing.T) {
	for _, late := range []time.Duration{69 * time.Millisecond, 70 * time.Millisecond} {
		inBubble(t, func(t *testing.T, j *Journal, b *book) {
			b.duration = late
			addMany(j, 10)
			synctest.Wait()
			start := time.Now()
			j.Close()
			took, want := 80*time.Millisecond, []string{"INFO environment added environment=e0 project=Project name=Env version=1"}
			if late < 70*time.Millisecond {
				want = append(want, "WARN lines left out at the end more=9")
			} else {
				took = late
			}
			if d := time.Since(start); d != took {
				t.Errorf("Close took %v, want %v", d, took)
			}
			time.Sleep(time.Hour)
			expect(t, "log", texts(b.take()), want...)
		})
	}
}

// TestKeysAreLeftOutAtTheEnd too, in the middle of a change.
func TestKeysAreLeftOutAtTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.duration = 19 * time.Millisecond
		j.Change(added(manyKeys(10, 5)))
		j.Close()
		got := texts(b.take())
		if len(got) != 4 {
			t.Fatalf("log: %q", got)
		}
		expect(t, "last line", got[3:], "WARN lines left out at the end more=8")
	})
}

// TestCloseWithoutRun waits, because Run may be about to begin, and then nothing is written.
func TestCloseWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		j := New(slog.New(b))
		addMany(j, 2)
		j.Close()
		j.Run()
		expect(t, "log", texts(b.take()))

		j = New(slog.New(b))
		addMany(j, 1)
		time.AfterFunc(time.Millisecond, j.Run)
		j.Close()
		expect(t, "log", texts(b.take()), "INFO environment added environment=e0 project=Project name=Env version=1")
	})
}

// TestMemoryIsGivenBack that changes take up: while the logger is stuck all but those that wait, and
// afterwards the rest.
func TestMemoryIsGivenBack(t *testing.T) {
	const many = 20_000
	b := newBook()
	j := New(slog.New(b))
	done := make(chan struct{})
	go func() {
		defer close(done)
		j.Run()
	}()
	b.stop()
	var environments []weak.Pointer[decode.EnvironmentRep]
	for range many {
		e := environmentOf("e", 1)
		environments = append(environments, weak.Make(e))
		j.Change(added(e))
	}
	held := func() (n int) {
		runtime.GC()
		for _, e := range environments {
			if e.Value() != nil {
				n++
			}
		}
		return n
	}
	// Besides those that wait, some values are in blocks that their readers are not done with.
	if n := held(); n < limit || n > 2*limit {
		t.Errorf("a stuck logger keeps %d environments in memory", n)
	}
	b.goOn()
	for range 10 * limit { // until the writer has written all and sleeps
		if held() == 0 {
			break
		}
		runtime.Gosched()
	}
	if n := held(); n != 0 {
		t.Errorf("%d environments are kept", n)
	}
	j.Close()
	<-done
}

// TestPanic of the logger is the end of the log, and of nothing else.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(slog.New(panicking{}))
		done := make(chan any)
		go func() {
			defer func() { done <- recover() }()
			j.Run()
		}()
		addMany(j, 3000)
		if got := <-done; got != "broken" {
			t.Errorf("Run panics with %v", got)
		}
		start := time.Now()
		addMany(j, 3000)
		j.Close()
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
	})
}

type panicking struct{ slog.Handler }

func (panicking) Enabled(context.Context, slog.Level) bool  { return true }
func (panicking) Handle(context.Context, slog.Record) error { panic("broken") }

// TestLevelIsAskedAgain before a line is written, because it may have changed in between.
func TestLevelIsAskedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		b.stop()
		addMany(j, 2)
		synctest.Wait()
		b.minimum.Set(slog.LevelWarn)
		j.Lost(errors.New("failed"), 0)
		b.goOn()
		synctest.Wait()
		expect(t, "log", texts(b.take()), "INFO environment added environment=e0 project=Project name=Env version=1",
			"WARN connection failed error=failed retry_in=0s")
	})
}

// TestDisabledLogCostsNothing but the question.
func TestDisabledLogCostsNothing(t *testing.T) {
	b := newBook()
	b.minimum.Set(slog.LevelError + 1)
	failed := errors.New("failed")
	change := updated(environmentOf("e1", 1), environmentOf("e1", 2, slot("sdk-old-old-old", 5*second)))
	put := &decode.Message{Kind: decode.Put, Put: &decode.Listing{}}
	ignored := &decode.Message{Err: &decode.IgnoredError{Err: decode.ErrUnknownEvent}}
	for name, j := range map[string]*Journal{"without logger": New(nil), "disabled": New(slog.New(b))} {
		allocs := testing.AllocsPerRun(100, func() {
			j.Event("patch")
			j.Change(change)
			j.Message(put)
			j.Stale(diff.Subject{Environment: "e1"}, 1)
			j.Note(slog.LevelError, "note", slog.Any("error", failed))
		})
		if allocs > 1 { // that of the note's attributes, which a caller makes
			t.Errorf("%s: %v allocations", name, allocs)
		}
		j.Message(ignored)
		j.Connecting("https://host/")
		j.Lost(failed, 0)
		j.Lost(failed, -1)
		if len(j.early) != 0 {
			t.Errorf("%s: %d notes", name, len(j.early))
		}
	}
}

// TestRecordingDoesNotAllocate while notes are merged.
func TestRecordingDoesNotAllocate(t *testing.T) {
	b := newBook()
	j := New(slog.New(b))
	go j.Run()
	defer j.Close()
	b.stop()
	defer b.goOn()
	addMany(j, 2*limit)
	change := updated(environmentOf("e1", 1), environmentOf("e1", 2))
	if allocs := testing.AllocsPerRun(1000, func() { j.Change(change) }); allocs > 1 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestNoKeyIsLogged, whatever a handler does with the values.
func TestNoKeyIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, j *Journal, b *book) {
		e := environmentOf("e1", 1, slot("sdk-expiring-SECRET-1234", 5*second), mobileAt("mob-expiring-SECRET-1234", 5*second))
		e.SDKKey.Value, e.MobKey = "sdk-current-SECRET-1234", "mob-current-SECRET-1234"
		j.Change(added(e))
		j.Change(diff.Change{Kind: diff.KeyExpired, Old: e, New: e, Key: &diff.Key{SDKKey: "sdk-expiring-SECRET-1234"}})
		synctest.Wait()
		for _, r := range b.take() {
			r.Attrs(func(a slog.Attr) bool {
				if a.Value.Kind() == slog.KindAny || strings.Contains(a.Value.String(), "SECRET") {
					t.Errorf("%s: %v", r.Message, a)
				}
				return true
			})
		}
	})
}
