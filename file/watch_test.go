package file

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/relaystream/autoconfig/decode"
)

// TestWait: in virtual time, with notifications that the test makes.
func TestWait(t *testing.T) {
	const file = "/d/config.json"
	for name, test := range map[string]struct {
		name    string        // of the notifications; none come if it is empty
		pause   time.Duration // between two of them; 0 for one only
		changed bool
		after   time.Duration
	}{
		"nothing":      {"", 0, false, time.Minute},
		"one":          {file, 0, true, 100 * time.Millisecond},
		"burst":        {file, 99 * time.Millisecond, true, time.Second},
		"slow burst":   {file, 101 * time.Millisecond, true, 100 * time.Millisecond},
		"another file": {"/d/another.json", time.Second, false, time.Minute},
		"directory":    {"//d", 0, true, 100 * time.Millisecond}, // as fsnotify joins the root and a name
		"lost":         {"lost", 0, true, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				watcher := &fsnotify.Watcher{Events: make(chan fsnotify.Event), Errors: make(chan error)}
				if test.name != "" {
					go notify(ctx, watcher, test.name, test.pause)
				}
				w := &watch{watcher, map[string]bool{"/d": true, file: true}}
				begun := time.Now()
				changed := w.wait(t.Context(), time.Minute)
				if took := time.Since(begun); changed != test.changed || took != test.after {
					t.Errorf("changed: %t after %v, want %t after %v", changed, took, test.changed, test.after)
				}
				cancel()
			})
		})
	}
}

// notify makes a notification, and another one after each pause unless that is 0.
func notify(ctx context.Context, w *fsnotify.Watcher, name string, pause time.Duration) {
	for ctx.Err() == nil {
		if name == "lost" {
			w.Errors <- fsnotify.ErrEventOverflow
			return
		}
		select {
		case w.Events <- fsnotify.Event{Name: name, Op: fsnotify.Write}:
		case <-ctx.Done():
		}
		if pause == 0 {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// TestWithoutNotifications: the interval is short then.
func TestWithoutNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if changed := new(watch).wait(t.Context(), time.Hour); changed || time.Since(begun) != time.Second {
			t.Errorf("changed: %t after %v", changed, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if changed := new(watch).wait(ctx, time.Millisecond/2); changed || ctx.Err() != nil {
			t.Errorf("changed: %t, %v", changed, ctx.Err())
		}
	})
}

// TestWatchBeginsDuringAChange: a directory that is made while the watch begins is noticed, or watched.
func TestWatchBeginsDuringAChange(t *testing.T) {
	directory := t.TempDir()
	for i := range 100 {
		path := filepath.Join(directory, fmt.Sprint(i), "config.json")
		made := make(chan error)
		go func() {
			for range i * 200 { // another moment each time
			}
			made <- os.Mkdir(filepath.Dir(path), 0o700)
		}()
		w := newWatch(path)
		must(t, <-made)
		write(t, path, version(1))
		for noticed := false; !noticed; {
			select {
			case e := <-w.watcher.Events:
				noticed = w.names[e.Name]
			case <-time.After(patience):
				t.Fatalf("not noticed; watched: %v", w.names)
			}
		}
		w.close()
	}
}

// TestRelativePath: a path is relative to the current directory.
func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "config.json", version(1))
	s := subscribe(t, "config.json", notified)
	s.expectVersion(1)
	replace(t, "config.json", version(2))
	s.expectVersion(2)
}

// TestOnlyChanges: a file that was touched, or written again with the same content, yields nothing.
func TestOnlyChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, version(1))
	f := follower{path: path, options: (*Options)(nil).resolve(), seed: maphash.MakeSeed()}
	var got []decode.Message
	look := func() []decode.Message {
		got = nil
		f.look(t.Context(), func(m decode.Message) bool {
			got = append(got, m)
			return true
		})
		return got
	}
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(path, old, old))
	if len(look()) != 1 || !f.seen.current(path) {
		t.Fatalf("%v, current: %t", got, f.seen.current(path))
	}
	must(t, os.Chtimes(path, old.Add(1), old.Add(1)))
	if f.seen.current(path) || len(look()) != 0 {
		t.Errorf("touched: %v", got)
	}
	replace(t, path, version(1))
	now := time.Now().Add(time.Minute) // still new when it is read, however slow the machine
	must(t, os.Chtimes(path, now, now))
	if f.seen.current(path) || len(look()) != 0 {
		t.Errorf("written again: %v", got)
	}
	if f.seen.current(path) {
		t.Error("the time of a file that has just been written is trusted")
	}
	must(t, os.Remove(path))
	for want := 1; want >= 0; want-- {
		if len(look()) != want {
			t.Errorf("missing: %v, want %d messages", got, want)
		}
	}
	write(t, path, version(1))
	if len(look()) != 1 || got[0].Kind != decode.Put {
		t.Errorf("there again: %v", got)
	}
}

// TestVersions: an item that has changed without a greater version is not used, and is told so.
func TestVersions(t *testing.T) {
	env := func(version int, name string) decode.EnvironmentEntry {
		return decode.EnvironmentEntry{ID: "e1", Version: version, Rep: &decode.EnvironmentRep{EnvID: "e1", EnvName: name, Version: version}}
	}
	for name, test := range map[string]struct {
		puts [][]decode.EnvironmentEntry
		used bool // the only entry of the last one
	}{
		"unchanged":                  {[][]decode.EnvironmentEntry{{env(1, "a")}, {env(1, "a")}}, true},
		"greater":                    {[][]decode.EnvironmentEntry{{env(1, "a")}, {env(2, "a")}}, true},
		"equal":                      {[][]decode.EnvironmentEntry{{env(1, "a")}, {env(1, "b")}}, false},
		"smaller":                    {[][]decode.EnvironmentEntry{{env(2, "a")}, {env(1, "a")}}, false},
		"omitted meanwhile":          {[][]decode.EnvironmentEntry{{env(2, "a")}, {}, {env(1, "b")}}, true},
		"back after an unusable one": {[][]decode.EnvironmentEntry{{env(1, "a")}, {env(1, "b")}, {env(1, "a")}}, true},
		"still unusable":             {[][]decode.EnvironmentEntry{{env(1, "a")}, {env(1, "b")}, {env(1, "b")}}, false},
		"of a wrong entry":           {[][]decode.EnvironmentEntry{{env(1, "a")}, {{ID: "e1", Err: decode.ErrWrongID}}, {env(1, "b")}}, false},
		"corrected":                  {[][]decode.EnvironmentEntry{{{ID: "e1", Err: decode.ErrWrongID}}, {env(1, "b")}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var h held
			for _, entries := range test.puts {
				h.update(t.Context(), &decode.Listing{Environments: entries})
			}
			last := test.puts[len(test.puts)-1][0]
			if used := last.Rep != nil; used != test.used || used == errors.Is(last.Err, ErrVersion) {
				t.Errorf("%v: used: %t, want %t", last, used, test.used)
			}
		})
	}
	t.Run("filters", func(t *testing.T) {
		filter := func(key string) []decode.FilterEntry {
			return []decode.FilterEntry{{ID: "f1", Version: 1, Rep: &decode.FilterRep{FilterKey: key, Version: 1}}}
		}
		var h held
		h.update(t.Context(), &decode.Listing{Filters: filter("a")})
		h.update(t.Context(), &decode.Listing{FiltersErr: decode.ErrWrongID}) // the filters held before stay
		last := filter("b")
		if h.update(t.Context(), &decode.Listing{Filters: last}); !errors.Is(last[0].Err, ErrVersion) || last[0].Rep != nil {
			t.Error(last)
		}
	})
}
