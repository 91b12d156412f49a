package file

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settleTime is how long there must be no notification before the file is read.
	settleTime = 100 * time.Millisecond
	// maxSettleTime is how long after the first notification the file is read at the latest.
	maxSettleTime = time.Second
	// maxUnwatched is the longest interval without notifications.
	maxUnwatched = time.Second
	// maxLinks is how many symbolic links may be on the way to the file.
	maxLinks = 40
	// maxPasses is how often the way to the file may change while a watch begins.
	maxPasses = 8
)

// A watch notices changes of what a path leads to.
type watch struct {
	watcher *fsnotify.Watcher // nil if there can be no notifications
	names   map[string]bool   // that a notification must have
}

// newWatch watches the directories of the branches of path.
func newWatch(path string) *watch {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return &watch{}
	}
	w := &watch{watcher: watcher, names: make(map[string]bool)}
	if !w.add(path) {
		w.close()
		return &watch{}
	}
	return w
}

// add begins to watch, and reports whether it could. Since the branches may change until their directories are watched,
// it looks again after that.
func (w *watch) add(path string) bool {
	var watched []string
	for range maxPasses {
		names := branches(path)
		if slices.Equal(names, watched) {
			return true
		}
		for _, name := range names {
			directory := filepath.Dir(name)
			if w.watcher.Add(directory) != nil {
				return false
			}
			w.names[name], w.names[directory] = true, true
		}
		watched = names
	}
	return false
}

// close ends the watch, and waits until its goroutine has ended.
func (w *watch) close() {
	if w.watcher == nil {
		return
	}
	if w.watcher.Close() != nil {
		return
	}
	for range w.watcher.Events { // on some systems, Close does not wait
	}
}

// wait waits for a change, and until it has settled. It returns false if there is none within the interval, or ctx ends.
func (w *watch) wait(ctx context.Context, interval time.Duration) (changed bool) {
	var events <-chan fsnotify.Event
	var errs <-chan error // notifications are lost
	if w.watcher == nil {
		interval = min(interval, maxUnwatched)
	} else {
		events, errs = w.watcher.Events, w.watcher.Errors
	}
	end := time.NewTimer(interval) // then, until the change has settled
	defer end.Stop()
	var limit <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return false
		case <-end.C:
			return changed
		case <-limit:
			return true
		case e := <-events:
			if !w.names[filepath.Clean(e.Name)] {
				continue
			}
		case <-errs:
		}
		if !changed {
			changed = true
			latest := time.NewTimer(maxSettleTime)
			defer latest.Stop()
			limit = latest.C
		}
		end.Reset(settleTime)
	}
}

// branches returns the names at which the way along path can change its course: each symbolic link on it, and its end,
// which is the file, or the first part of the way that does not exist.
func branches(path string) (names []string) {
	if !filepath.IsAbs(path) {
		if directory, err := os.Getwd(); err == nil {
			path = directory + string(filepath.Separator) + path // filepath.Join would shorten "link/.."
		}
	}
	at, rest := root(path)
	for links := 0; rest != ""; {
		var part string
		part, rest, _ = strings.Cut(rest, string(filepath.Separator))
		switch part {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if err != nil {
			break
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		names = append(names, at)
		target, err := os.Readlink(at)
		if links++; err != nil || links > maxLinks {
			return names
		}
		rest = target + string(filepath.Separator) + rest
		if filepath.IsAbs(target) {
			at, rest = root(rest)
		} else {
			at = filepath.Dir(at)
		}
	}
	return append(names, at)
}

// root splits an absolute path into the root and what follows it.
func root(path string) (root, rest string) {
	path = filepath.FromSlash(path)
	volume := filepath.VolumeName(path)
	return volume + string(filepath.Separator), path[len(volume):]
}
