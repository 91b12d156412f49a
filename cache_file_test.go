package autoconfig

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func fileCache(t testing.TB) *FileCache {
	return &FileCache{Path: filepath.Join(t.TempDir(), "config.cache")}
}

func (f *FileCache) mustSave(t testing.TB, data string) {
	t.Helper()
	if err := f.Save(t.Context(), []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func (f *FileCache) mustLoad(t testing.TB, want string) {
	t.Helper()
	data, err := f.Load(t.Context())
	if err != nil || string(data) != want {
		t.Errorf("loaded %q, %v; want %q", data, err, want)
	}
}

// files returns the names in the cache's directory.
func (f *FileCache) files(t testing.TB) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestFileCacheKeepsTheLastSave(t *testing.T) {
	f := fileCache(t)
	if _, err := f.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	f.mustSave(t, "a longer one")
	f.mustSave(t, "short")
	f.mustLoad(t, "short")
	info, err := os.Stat(f.Path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Error(info, err)
	}
	if got := f.files(t); got != "config.cache" {
		t.Error(got)
	}
}

// TestFileCacheSurvivesACrash stops where a crash would do most harm: the new file is on the disk and
// has not taken the old one's place.
func TestFileCacheSurvivesACrash(t *testing.T) {
	f := fileCache(t)
	f.mustSave(t, "old")
	leftover, err := f.writeTemporary([]byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	f.mustLoad(t, "old")
	if _, err := os.Stat(leftover); err != nil {
		t.Error("a file was removed that another process may be writing:", err)
	}
	others := []string{f.Path + ".backup", filepath.Join(filepath.Dir(f.Path), "other.cache"+temporaryInfix+"1")}
	long := time.Now().Add(-leftoverAge - time.Minute)
	for _, path := range others {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range append(others, leftover, f.Path) {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	f.mustLoad(t, "old")
	if got := f.files(t); got != "config.cache config.cache.backup other.cache"+temporaryInfix+"1" {
		t.Error(got)
	}
}

// TestFileCacheGivesUpInTime: when nobody waits for it any more, a save changes nothing.
func TestFileCacheGivesUpInTime(t *testing.T) {
	f := fileCache(t)
	f.mustSave(t, "old")
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	if err := f.Save(ctx, []byte("new")); !errors.Is(err, gone) {
		t.Error(err)
	}
	if _, err := f.Load(ctx); !errors.Is(err, gone) {
		t.Error(err)
	}
	f.mustLoad(t, "old")
	if got := f.files(t); got != "config.cache" {
		t.Error(got)
	}
}

func TestFileCacheLimit(t *testing.T) {
	f := fileCache(t)
	f.mustSave(t, "12345678")
	for _, test := range []struct {
		limit int64
		err   error
	}{{0, nil}, {math.MaxInt64, nil}, {9, nil}, {8, nil}, {7, ErrCacheTooLarge}, {1, ErrCacheTooLarge}} {
		f.MaxSize = test.limit
		if _, err := f.Load(t.Context()); !errors.Is(err, test.err) {
			t.Errorf("load with a limit of %d: %v", test.limit, err)
		}
		if err := f.Save(t.Context(), []byte("12345678")); !errors.Is(err, test.err) {
			t.Errorf("save with a limit of %d: %v", test.limit, err)
		}
	}
	if got := (&FileCache{}).maxSize(); got != DefaultMaxCacheSize {
		t.Error(got)
	}
}

// TestFileCacheSetsAside keeps what can't be used, but only the last such file.
func TestFileCacheSetsAside(t *testing.T) {
	f := fileCache(t)
	for _, data := range []string{"first", "second"} {
		f.mustSave(t, data)
		if err := f.SetAside(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(f.Path + ".bad"); err != nil || !bytes.Equal(data, []byte("second")) {
		t.Errorf("%q, %v", data, err)
	}
	if got := f.files(t); got != "config.cache.bad" {
		t.Error(got)
	}
}

// TestFileCacheWithoutAFile: what is no file is an error, and never waited for.
func TestFileCacheWithoutAFile(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	pipe := filepath.Join(directory, "pipe")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{ // whether it can be saved to
		directory:                         false,
		filepath.Join(file, "below"):      false,
		filepath.Join(directory, "a/b"):   false,
		filepath.Join(directory, "a\x00"): false,
	}
	if exec.Command("mkfifo", pipe).Run() == nil { // not every system has named pipes
		paths[pipe] = true
	}
	for path, writable := range paths {
		f := &FileCache{Path: path}
		if data, err := f.Load(t.Context()); err == nil {
			t.Errorf("loaded %q from %q", data, path)
		}
		if err := f.Save(t.Context(), []byte("x")); (err == nil) != writable {
			t.Errorf("saving to %q: %v", path, err)
		}
	}
}

// TestFileCacheInAClosedDirectory is about permissions, which bind everybody but root.
func TestFileCacheInAClosedDirectory(t *testing.T) {
	f := fileCache(t)
	f.mustSave(t, "old")
	directory := filepath.Dir(f.Path)
	if err := os.Chmod(directory, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(directory, 0o700)
	if _, err := os.ReadDir(directory); err == nil {
		t.Skip("this user may read what nobody may read")
	}
	if _, err := f.Load(t.Context()); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := f.Save(t.Context(), []byte("new")); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}
