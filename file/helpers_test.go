package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// notified makes an observable that does without the interval, so that only a notification tells of a change.
var notified = &Options{Interval: 24 * time.Hour}

// plantedKey is a key that no error may show.
const plantedKey = "sdk-planted-secret-key"

// version returns a content with one environment of that version.
func version(n int) string {
	return contentOf(decode.EnvironmentRep{EnvID: "e1", SDKKey: decode.SDKKeyRep{Value: plantedKey}, Version: n})
}

func contentOf(environments ...decode.EnvironmentRep) string {
	content := decode.PutContent{Environments: map[decode.EnvironmentID]decode.EnvironmentRep{}}
	for _, e := range environments {
		content.Environments[e.EnvID] = e
	}
	data, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// write writes the content in place.
func write(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(content), 0o600))
}

// replace puts a file in the place of another one in one step.
func replace(t *testing.T, path, content string) {
	t.Helper()
	write(t, path+".new", content)
	must(t, os.Rename(path+".new", path))
}

// relink makes a symbolic link, in the place of another one if there is one.
func relink(t *testing.T, target, path string) {
	t.Helper()
	must(t, os.Symlink(target, path+".new"), os.Rename(path+".new", path))
}

// A subscription is one to a Source. The observable waits until each message is taken.
type subscription struct {
	t        *testing.T
	messages chan decode.Message
	cancel   context.CancelFunc
	ended    chan error
}

// subscribe subscribes until the end of the test.
func subscribe(t *testing.T, path string, o *Options) *subscription {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &subscription{t, make(chan decode.Message), cancel, make(chan error, 1)}
	go func() {
		s.ended <- Source(path, o)(ctx, func(m decode.Message) bool {
			select {
			case s.messages <- m:
			case <-ctx.Done():
			}
			return true
		})
	}()
	t.Cleanup(s.end)
	return s
}

// end ends the subscription and waits for that.
func (s *subscription) end() {
	s.t.Helper()
	s.cancel()
	select {
	case err := <-s.ended:
		s.ended <- err
		if !errors.Is(err, context.Canceled) {
			s.t.Errorf("ended with %v", err)
		}
	case <-time.After(patience):
		s.t.Fatal("does not end")
	}
}

func (s *subscription) next() decode.Message {
	s.t.Helper()
	select {
	case m := <-s.messages:
		return m
	case err := <-s.ended:
		s.t.Fatalf("ended with %v", err)
	case <-time.After(patience):
		s.t.Fatal("nothing comes")
	}
	panic("not reached")
}

// expectVersion expects a put with version n of the environment.
func (s *subscription) expectVersion(n int) {
	s.t.Helper()
	if m := s.next(); m.Kind != decode.Put || m.Put.Environments[0].Version != n || m.Put.Environments[0].Err != nil {
		s.t.Fatalf("%v, want version %d", m, n)
	}
}

// awaitVersion is expectVersion that permits what a change by several steps may show before its end: that the file is missing, or
// not complete.
func (s *subscription) awaitVersion(n int) {
	s.t.Helper()
	for {
		m := s.next()
		if m.Kind == decode.Put && m.Put.Environments[0].Version == n {
			return
		}
		var malformed *decode.MalformedError
		if m.Kind == decode.Put || !errors.Is(m.Err, fs.ErrNotExist) && !errors.As(m.Err, &malformed) {
			s.t.Fatalf("%v, want version %d", m, n)
		}
	}
}

// expectUnusable expects the report of a file that can't be used, and returns it.
func (s *subscription) expectUnusable() error {
	s.t.Helper()
	m := s.next()
	var ignored *decode.IgnoredError
	if m.Kind != decode.Ignored || !errors.As(m.Err, &ignored) || ignored.Event != decode.PutEvent || ignored.Path != "/" {
		s.t.Fatalf("%v, want the report of an unusable file", m)
	}
	return m.Err
}

// configMap is the directory of a Kubernetes volume.
type configMap struct {
	directory string
	updates   int
}

// update does what the kubelet does: it writes all files in a directory of their own, exchanges the link ..data,
// and removes the old directory.
func (c *configMap) update(t *testing.T, content string) {
	t.Helper()
	c.updates++
	own := func(n int) string { return fmt.Sprintf("..2026_11_26_%d", n) }
	must(t, os.Mkdir(filepath.Join(c.directory, own(c.updates)), 0o700))
	write(t, filepath.Join(c.directory, own(c.updates), "config.json"), content)
	relink(t, own(c.updates), filepath.Join(c.directory, "..data"))
	if c.updates == 1 {
		must(t, os.Symlink("..data/config.json", filepath.Join(c.directory, "config.json")))
	}
	must(t, os.RemoveAll(filepath.Join(c.directory, own(c.updates-1))))
}
