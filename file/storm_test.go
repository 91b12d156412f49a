package file

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
)

// TestStorm: after any quick sequence of changes on the way to the file, the last content arrives, by notifications alone.
func TestStorm(t *testing.T) {
	const seeds, steps, last = 12, 60, 1000
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := storm{t, rand.New(rand.NewPCG(seed, 0)), filepath.Join(t.TempDir(), "current"), 0}
			sub := subscribe(t, filepath.Join(s.current, "config.json"), notified)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for range steps {
					s.step()
				}
				s.version = last - 1
				s.release()
			}()
			for got := 0; got != last; {
				if m := sub.next(); m.Kind == decode.Put {
					got = m.Put.Environments[0].Version
				}
			}
			<-ended
		})
	}
}

// A storm changes a file in a directory that is sometimes a link.
type storm struct {
	t       *testing.T
	rng     *rand.Rand
	current string // the directory
	version int
}

// step makes one change, which may do nothing.
func (s *storm) step() {
	s.version++
	file := filepath.Join(s.current, "config.json")
	switch s.rng.IntN(6) {
	case 0:
		s.release()
	case 1:
		_ = os.WriteFile(file, []byte(version(s.version)), 0o600)
	case 2:
		_ = os.WriteFile(file+".new", []byte(version(s.version)), 0o600)
		_ = os.Rename(file+".new", file)
	case 3:
		_ = os.Remove(file)
	case 4:
		_ = os.RemoveAll(s.current)
	case 5:
		time.Sleep(time.Duration(s.rng.Int64N(int64(20 * time.Millisecond)))) // varies what meets what
	}
}

// release puts a new directory with the next version in the place of the current one, or a link to one.
func (s *storm) release() {
	s.version++
	directory := fmt.Sprintf("%s-%d", s.current, s.version)
	err := os.Mkdir(directory, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(directory, "config.json"), []byte(version(s.version)), 0o600)
	}
	if err != nil {
		s.t.Error(err)
		return
	}
	_ = os.RemoveAll(s.current)
	if s.rng.IntN(2) == 0 {
		_ = os.Rename(directory, s.current)
	} else {
		_ = os.Symlink(directory, s.current)
	}
}
