package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// DefaultMaxCacheSize is the default limit of FileCache, in bytes: more than a put within the default
// limit of events can need.
const DefaultMaxCacheSize = 128 << 20

// A FileCache is a Cache that keeps the configuration in a file, of mode 0600. A save replaces it in
// one step: it is written to another file in the same directory, which takes its place when all of it
// is on the disk. Another process may use the same file; the last save counts.
//
// What can't be used is set aside under the same path with ".bad" appended, in place of what was there
// before.
type FileCache struct {
	// Path is the file's path. The directory must exist, and allow files to be created.
	Path string
	// MaxSize limits what is loaded and saved, in bytes; more is ErrCacheTooLarge. 0 or less means
	// DefaultMaxCacheSize.
	MaxSize int64
}

const (
	asideSuffix = ".bad"
	// temporaryInfix stands between the file's name and digits in the name of a temporary file.
	temporaryInfix = ".unfinished-"
	// leftoverAge is how old a temporary file is that nobody is writing any more.
	leftoverAge = time.Hour
)

// Load implements Cache. It also removes temporary files that a crash has left behind, when they are
// an hour old.
func (f *FileCache) Load(ctx context.Context) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	f.removeLeftovers()
	// To open a named pipe could take for ever.
	if info, err := os.Stat(f.Path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "load", Path: f.Path, Err: errors.ErrUnsupported}
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, f.maxSize()+1))
	if err == nil && int64(len(data)) > f.maxSize() {
		return nil, ErrCacheTooLarge
	}
	return data, err
}

// Save implements Cache.
func (f *FileCache) Save(ctx context.Context, data []byte) error {
	if int64(len(data)) > f.maxSize() {
		return ErrCacheTooLarge
	}
	temporary, err := f.writeTemporary(data)
	if err != nil {
		return err
	}
	// Who waited for this may be gone, and another client may have saved since.
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else {
		err = os.Rename(temporary, f.Path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncDirectory(filepath.Dir(f.Path))
}

// SetAside renames the file.
func (f *FileCache) SetAside(context.Context) error {
	return os.Rename(f.Path, f.Path+asideSuffix)
}

func (f *FileCache) maxSize() int64 {
	if f.MaxSize > 0 {
		return min(f.MaxSize, math.MaxInt64-1) // one more must be a number, too
	}
	return DefaultMaxCacheSize
}

// writeTemporary writes a file next to the one at Path, and returns when it is on the disk.
func (f *FileCache) writeTemporary(data []byte) (path string, err error) {
	file, err := os.CreateTemp(filepath.Dir(f.Path), f.temporaryPrefix()+"*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

func (f *FileCache) temporaryPrefix() string { return filepath.Base(f.Path) + temporaryInfix }

// removeLeftovers removes old temporary files. What it can't do, another Load will.
func (f *FileCache) removeLeftovers() {
	directory := filepath.Dir(f.Path)
	entries, _ := os.ReadDir(directory)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), f.temporaryPrefix()) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > leftoverAge {
			_ = os.Remove(filepath.Join(directory, e.Name()))
		}
	}
}

// syncDirectory makes a renaming last. Not every system can: Windows and some network file systems
// refuse, and have nothing better to offer.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	err = directory.Sync()
	if runtime.GOOS == "windows" || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("autoconfig: cache: directory: %w", err)
	}
	return nil
}
