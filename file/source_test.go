package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream"
	"github.com/relaystream/autoconfig/stream/sse"
	"github.com/relaystream/autoconfig/stream/streamtest"
)

// TestConformance: the suite of the contract, for a file that is good, one that is missing, and one with a refused
// environment, which makes two messages.
func TestConformance(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "config.json")
	write(t, path, version(1))
	refused := filepath.Join(directory, "refused.json")
	write(t, refused, contentOf(decode.EnvironmentRep{EnvID: "e1", SDKKeys: []decode.ConcurrentKeyRep[decode.SDKKey]{{Value: "other"}}}))
	conforms := func(t *testing.T, path string, messages int) {
		want, err := stream.Take(Source(path, nil), messages).Collect(t.Context())
		must(t, err)
		streamtest.Test(t, func() stream.Observable[decode.Message] { return Source(path, notified) }, want,
			&streamtest.Options{Endless: true, RealTime: true})
	}
	t.Run("good", func(t *testing.T) { conforms(t, path, 1) })
	t.Run("missing", func(t *testing.T) { conforms(t, filepath.Join(directory, "no", "config.json"), 1) })
	t.Run("refused", func(t *testing.T) { conforms(t, refused, 2) })
}

// TestSourceIsThePut: a file has the values that the same put of the service has.
func TestSourceIsThePut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	content := `{"environments":{"e1":{"envID":"e1","envName":"A \u0026 B","version":3},"e2":{"envID":"other"}},"filters":{"f1":{"key":"k","version":1},"f2":7}}`
	write(t, path, content)
	event := sse.Event{Type: decode.PutEvent, Data: []byte(`{"path":"/","data":` + content + `}`)}
	want, err := decode.Messages(stream.Just(event), nil).First(t.Context())
	must(t, err)
	got, err := Source(path, nil).First(t.Context())
	must(t, err)
	if len(got.Put.Environments) != 2 || fmt.Sprintf("%+v", *got.Put.Environments[0].Rep) != fmt.Sprintf("%+v", *want.Put.Environments[0].Rep) ||
		!errors.Is(got.Put.Environments[1].Err, decode.ErrWrongID) || *got.Put.Filters[0].Rep != *want.Put.Filters[0].Rep || got.Put.Filters[1].Err == nil {
		t.Errorf("%v, want %v", got.Put, want.Put)
	}
}

// TestChanges: each way in which a file can change is noticed without waiting for the interval.
func TestChanges(t *testing.T) {
	type change = func(t *testing.T, n int) // makes version n
	ways := map[string]func(t *testing.T, directory string) (path string, change change){
		"written in place": func(_ *testing.T, directory string) (string, change) {
			path := filepath.Join(directory, "config.json")
			return path, func(t *testing.T, n int) { write(t, path, version(n)) }
		},
		"replaced": func(_ *testing.T, directory string) (string, change) {
			path := filepath.Join(directory, "config.json")
			return path, func(t *testing.T, n int) { replace(t, path, version(n)) }
		},
		"deleted and made again": func(_ *testing.T, directory string) (string, change) {
			path := filepath.Join(directory, "config.json")
			return path, func(t *testing.T, n int) {
				_ = os.Remove(path)
				write(t, path, version(n))
			}
		},
		"ConfigMap": func(_ *testing.T, directory string) (string, change) {
			c := configMap{directory: directory}
			return filepath.Join(directory, "config.json"), func(t *testing.T, n int) { c.update(t, version(n)) }
		},
		"directory replaced": func(_ *testing.T, directory string) (string, change) {
			path := filepath.Join(directory, "current", "config.json")
			return path, func(t *testing.T, n int) {
				next := filepath.Join(directory, "next")
				must(t, os.Mkdir(next, 0o700))
				write(t, filepath.Join(next, "config.json"), version(n))
				_ = os.Rename(filepath.Join(directory, "current"), filepath.Join(directory, fmt.Sprint("old", n)))
				must(t, os.Rename(next, filepath.Join(directory, "current")))
			}
		},
		"link to a directory replaced": func(_ *testing.T, directory string) (string, change) {
			path := filepath.Join(directory, "current", "etc", "config.json")
			return path, func(t *testing.T, n int) {
				release := fmt.Sprint("release", n)
				must(t, os.MkdirAll(filepath.Join(directory, release, "etc"), 0o700))
				write(t, filepath.Join(directory, release, "etc", "config.json"), version(n))
				relink(t, filepath.Join(directory, release), filepath.Join(directory, "current")) // an absolute target
			}
		},
		"file behind a link": func(t *testing.T, directory string) (string, change) {
			must(t, os.MkdirAll(filepath.Join(directory, "a", "b"), 0o700), os.Mkdir(filepath.Join(directory, "c"), 0o700))
			must(t, os.Symlink(filepath.Join("..", "a", "b"), filepath.Join(directory, "c", "link")))
			// link/.. is a, and not c.
			path := filepath.Join(directory, "c") + "/link/../config.json"
			return path, func(t *testing.T, n int) { write(t, filepath.Join(directory, "a", "config.json"), version(n)) }
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			path, change := way(t, t.TempDir())
			change(t, 1)
			s := subscribe(t, path, notified)
			s.expectVersion(1)
			for n := 2; n <= 4; n++ {
				change(t, n)
				s.awaitVersion(n)
			}
		})
	}
}

// TestMissingDirectory: a file is reported as missing, once, and waited for, though its directories are missing, too.
func TestMissingDirectory(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "a", "b", "config.json")
	s := subscribe(t, path, notified)
	if err := s.expectUnusable(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	replace(t, path, version(1))
	s.expectVersion(1)
}

// TestUnusable: what can't be used is reported, with its reason and without its content; the next good content follows, even
// if it is the last one.
func TestUnusable(t *testing.T) {
	isMalformed := func(err error) bool { return errors.As(err, new(*decode.MalformedError)) }
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	content := func(content string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) { replace(t, path, content) }
	}
	for name, test := range map[string]struct {
		spoil func(t *testing.T, path string)
		is    func(error) bool
	}{
		"truncated":                  {content(version(2)[:len(version(2))-2]), isMalformed},
		"empty":                      {content(""), isMalformed},
		"without environments":       {content("{}"), isMalformed},
		"two values":                 {content(version(2) + version(3)), isMalformed},
		"valid only within an event": {content(`{"environments":{}},"data":{"environments":{}}`), isMalformed},
		"too large":                  {content(version(2) + strings.Repeat(" ", 1000)), is(ErrTooLarge)},
		"missing":                    {func(t *testing.T, path string) { must(t, os.Remove(path)) }, is(fs.ErrNotExist)},
		"directory":                  {func(t *testing.T, path string) { must(t, os.Remove(path), os.Mkdir(path, 0o700)) }, is(errors.ErrUnsupported)},
		"link to itself": {func(t *testing.T, path string) { must(t, os.Remove(path), os.Symlink("config.json", path)) }, func(err error) bool {
			return errors.As(err, new(*fs.PathError)) && !errors.Is(err, fs.ErrNotExist) // which it is between the two steps
		}},
		"no permission": {func(t *testing.T, path string) {
			if os.Geteuid() <= 0 {
				t.Skip("nothing keeps this user from reading")
			}
			must(t, os.Chmod(path, 0))
		}, is(fs.ErrPermission)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.json")
			write(t, path, version(1))
			o := *notified
			o.MaxSize = 1000
			s := subscribe(t, path, &o)
			s.expectVersion(1)
			test.spoil(t, path)
			err := s.expectUnusable()
			for errors.Is(err, fs.ErrNotExist) && !test.is(err) { // between two steps
				err = s.expectUnusable()
			}
			var located *fs.PathError
			if !test.is(err) || !errors.As(err, &located) || located.Path != path || strings.Contains(err.Error(), plantedKey) {
				t.Errorf("%v", err)
			}
			must(t, os.RemoveAll(path))
			replace(t, path, version(1))
			s.awaitVersion(1)
		})
	}
}

// TestRefused: the environments that are not refused are there, and a corrected content of the same version counts.
func TestRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	bad := decode.EnvironmentRep{EnvID: "e2", SDKKeys: []decode.ConcurrentKeyRep[decode.SDKKey]{{Value: "other"}}, Version: 5}
	corrected := bad
	corrected.SDKKey.Value = "other"
	good := decode.EnvironmentRep{EnvID: "e1", Version: 1}
	write(t, path, contentOf(good, bad))
	s := subscribe(t, path, notified)
	if m := s.next(); m.Kind != decode.Put || m.Put.Environments[0].Err != nil || !errors.Is(m.Put.Environments[1].Err, decode.ErrAnchor) {
		t.Fatal(m, m.Put)
	}
	if err := s.expectUnusable(); !errors.Is(err, decode.ErrAnchor) {
		t.Error(err)
	}
	replace(t, path, contentOf(good, corrected))
	if m := s.next(); m.Kind != decode.Put || m.Put.Environments[1].Rep == nil {
		t.Error(m, m.Put)
	}
}

// TestSlowSubscriber: contents that are replaced while the subscriber is busy are skipped, but not the latest.
func TestSlowSubscriber(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, version(1))
	s := subscribe(t, path, notified)
	for n := 2; n <= 500; n++ { // nobody takes the first message yet
		replace(t, path, version(n))
	}
	m := s.next()
	for m.Put.Environments[0].Version < 500 {
		seen := m.Put.Environments[0].Version
		if m = s.next(); m.Put.Environments[0].Version <= seen {
			t.Fatalf("%v after version %d", m.Put.Environments[0], seen)
		}
	}
}

// TestMissedNotification: a change without a notification is found at the interval. Here it is made through a hard link in
// another directory, which is not watched.
func TestMissedNotification(t *testing.T) {
	directory := t.TempDir()
	path, other := filepath.Join(directory, "a", "config.json"), filepath.Join(directory, "config.json")
	must(t, os.Mkdir(filepath.Dir(path), 0o700))
	write(t, other, version(1))
	must(t, os.Link(other, path))
	s := subscribe(t, path, &Options{Interval: 10 * time.Millisecond})
	s.expectVersion(1)
	write(t, other, version(2))
	s.awaitVersion(2)
}

// TestUnwatchedDirectory: where notifications are not available, changes are found within a second or so.
func TestUnwatchedDirectory(t *testing.T) {
	if os.Geteuid() <= 0 || runtime.GOOS != "linux" {
		t.Skip("no permission is needed to watch")
	}
	directory := filepath.Join(t.TempDir(), "d")
	must(t, os.Mkdir(directory, 0o300)) // may be entered, but not read
	path := filepath.Join(directory, "config.json")
	replace(t, path, version(1))
	s := subscribe(t, path, notified)
	s.expectVersion(1)
	replace(t, path, version(2))
	s.expectVersion(2)
	must(t, os.Chmod(directory, 0o700)) // for the removal
}

// TestNothingIsLeft: at whatever moment a subscription is cancelled, no watch is left behind. The search for
// goroutines is in TestMain.
func TestNothingIsLeft(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks into /proc")
	}
	path := filepath.Join(t.TempDir(), "config.json")
	for delay := range 20 {
		write(t, path, version(1+delay))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Duration(delay*delay)*time.Millisecond/4, cancel)
		written := make(chan error)
		go func() { written <- os.WriteFile(path, []byte(version(2+delay)), 0o600) }()
		err := Source(path, &Options{Interval: time.Millisecond})(ctx, func(decode.Message) bool { return true })
		must(t, <-written)
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if n := openWatches(t); n > 0 {
			t.Fatalf("%d watches are left", n)
		}
	}
}

// openWatches returns how many instances of inotify this process has.
func openWatches(t *testing.T) (n int) {
	links, err := filepath.Glob("/proc/self/fd/*")
	must(t, err)
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == "anon_inode:inotify" {
			n++
		}
	}
	return n
}

// TestDefaults: what the comments of the options promise.
func TestDefaults(t *testing.T) {
	if o := (*Options)(nil).resolve(); o.Interval != DefaultInterval || DefaultInterval != time.Minute || o.MaxSize != DefaultMaxSize || DefaultMaxSize != 64<<20 {
		t.Errorf("%+v", o)
	}
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, "")
	must(t, os.Truncate(path, DefaultMaxSize+1))
	if m, err := Source(path, nil).First(t.Context()); err != nil || !errors.Is(m.Err, ErrTooLarge) {
		t.Error(m, err)
	}
	write(t, path, version(1))
	if m, err := Source(path, &Options{MaxSize: int64(len(version(1)))}).First(t.Context()); err != nil || m.Kind != decode.Put {
		t.Error(m, err)
	}
}

// TestMisuse: programmer's errors panic at once.
func TestMisuse(t *testing.T) {
	for name, misuse := range map[string]func(){
		"no path":           func() { Source("", nil) },
		"negative interval": func() { Source("a", &Options{Interval: -1}) },
		"negative size":     func() { Source("a", &Options{MaxSize: -1}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("does not panic")
				}
			}()
			misuse()
		})
	}
}
