package autoconfig_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/file"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// TestUnusableConfiguration checks that a client whose source says that its configuration can't be used shows that,
// and is not Valid until the source has a better one. The connection goes on.
func TestUnusableConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := make(chan decode.Message)
		c := testkit.Open(t, &autoconfig.Options{Source: stream.FromChan(s)})
		e := testkit.Environment("a", 1)
		put := decode.Message{Kind: decode.Put, Put: &decode.Listing{Environments: []decode.EnvironmentEntry{{ID: e.EnvID, Version: e.Version, Rep: &e}}}}
		ignored := func(path string) decode.Message {
			return decode.Message{Err: &decode.IgnoredError{Event: decode.PutEvent, Path: path, Err: fs.ErrNotExist}}
		}
		want := func(what string, state autoconfig.State, failed bool) {
			t.Helper()
			time.Sleep(time.Hour)
			stats := c.Stats()
			status := stats.Status
			if status.State != state || errors.Is(status.Err, fs.ErrNotExist) != failed || (c.Liveness(time.Minute) == nil) != (state == autoconfig.Valid) {
				t.Errorf("%s: %+v, %v", what, status, c.Liveness(time.Minute))
			}
			if stats.Attempts != 1 || stats.Failed != 0 || !status.NextAttempt.IsZero() {
				t.Errorf("%s: %d attempts, the next one at %v, %d failed", what, stats.Attempts, status.NextAttempt, stats.Failed)
			}
		}
		s <- ignored("/environments/a")
		want("an item", autoconfig.Initializing, false)
		s <- ignored("/")
		want("at first", autoconfig.Initializing, true)
		s <- put
		want("a put", autoconfig.Valid, true) // Err stays
		s <- ignored("/environments/a")
		want("an item later", autoconfig.Valid, true)
		s <- ignored("/")
		want("later", autoconfig.Interrupted, true)
		s <- put
		want("the same put", autoconfig.Valid, true)
	})
}

// TestUnusableConfigurationReplacesNothing that was saved, although it comes before what was saved has been loaded.
func TestUnusableConfigurationReplacesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := &memoryCache{}
		o := &autoconfig.Options{Source: stream.Concat(stream.Just(putOf(entryOf("a", 1))), stream.Never[decode.Message]()), Cache: cache}
		c := testkit.Open(t, o)
		if err := errors.Join(c.Ready(t.Context()), c.CloseContext(t.Context())); err != nil {
			t.Fatal(err)
		}
		cache.onLoad = func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		}
		unusable := decode.Message{Err: &decode.IgnoredError{Event: decode.PutEvent, Path: "/", Err: fs.ErrNotExist}}
		o.Source = stream.Concat(stream.Just(unusable), stream.Never[decode.Message]())
		c = testkit.Open(t, o)
		time.Sleep(time.Minute)
		if snapshot := c.Snapshot(); !snapshot.Cached || len(snapshot.Environments) != 1 {
			t.Errorf("%d environments, cached %t", len(snapshot.Environments), snapshot.Cached)
		}
	})
}

// A configFile is a file that a client reads.
type configFile struct {
	t    *testing.T
	path string
}

func (f configFile) save(content string) {
	f.t.Helper()
	if err := errors.Join(os.WriteFile(f.path+".new", []byte(content), 0o600), os.Rename(f.path+".new", f.path)); err != nil {
		f.t.Fatal(err)
	}
}

// awaitStatus returns the first status that is ok.
func awaitStatus(t *testing.T, c *autoconfig.Client, ok func(autoconfig.Status) bool) autoconfig.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	status, err := stream.Filter(c.Status(), ok).First(ctx)
	if err != nil {
		t.Fatalf("%v; the status is %+v", err, c.Stats().Status)
	}
	return status
}

// TestFileSource follows a client of a file: from one that is missing, past a malformed one, to the next good one.
func TestFileSource(t *testing.T) {
	f := configFile{t, filepath.Join(t.TempDir(), "config.json")}
	var book testkit.Logbook
	source := file.Source(f.path, &file.Options{Interval: 24 * time.Hour})
	c := testkit.Open(t, &autoconfig.Options{Source: source, Logger: book.Logger()})
	changes := testkit.Watch(c.Changes())
	in := func(state autoconfig.State) func(autoconfig.Status) bool {
		return func(s autoconfig.Status) bool { return s.State == state }
	}

	awaitStatus(t, c, func(s autoconfig.Status) bool { return errors.Is(s.Err, fs.ErrNotExist) })
	f.save(testkit.JSON(testkit.Listing(testkit.Environment("a", 1), testkit.Environment("b", 1))))
	testkit.Expect(t, "saved", slices.Sorted(slices.Values(testkit.Describe(changes.Await(t, 3)))),
		"environment added: a (Project Env a) version 1", "environment added: b (Project Env b) version 1", "synced")
	awaitStatus(t, c, in(autoconfig.Valid))

	f.save(`{"environments":{"a":`)
	status := awaitStatus(t, c, in(autoconfig.Interrupted))
	if malformed := (*decode.MalformedError)(nil); !errors.As(status.Err, &malformed) {
		t.Errorf("%+v", status)
	}
	changed := testkit.Environment("b", 1)
	changed.EnvName = "Changed without a version"
	f.save(testkit.JSON(testkit.Listing(testkit.Environment("a", 2), changed)))
	testkit.Expect(t, "saved again", testkit.Describe(changes.Await(t, 2)), "environment updated: a (Project Env a) version 2", "synced")
	awaitStatus(t, c, in(autoconfig.Valid))
	c.Close()
	changes.Stop()

	levels := map[slog.Level]int{}
	versions := 0
	for _, line := range book.Take() {
		levels[line.Level]++
		if err, ok := testkit.Attr(line, "error").(error); ok && errors.Is(err, file.ErrVersion) {
			versions++
		}
	}
	if levels[slog.LevelError] != 2 || levels[slog.LevelWarn] != 1 || versions != 1 {
		t.Errorf("%v: want errors that the file is missing and malformed, and a warning of the version", levels)
	}
}

// TestCacheOfAFile: a client begins with what was saved while the file is missing.
func TestCacheOfAFile(t *testing.T) {
	f := configFile{t, filepath.Join(t.TempDir(), "config.json")}
	o := &autoconfig.Options{Source: file.Source(f.path, nil), Cache: &autoconfig.FileCache{Path: f.path + ".cache"}}
	for n := range 2 {
		if n == 0 {
			f.save(testkit.JSON(testkit.Listing(testkit.Environment("a", 1))))
		}
		c := testkit.Open(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := errors.Join(c.Ready(ctx), c.CloseContext(ctx)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if environments := c.Snapshot().Environments; len(environments) != 1 {
			t.Errorf("%d environments", len(environments))
		}
		_ = os.Remove(f.path)
	}
}
