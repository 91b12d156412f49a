package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/relaystream/autoconfig/internal/limited"
)

// DefaultMaxSize is the default of File.MaxSize, in bytes. A put within the default limits of the stream, which
// are 64 MiB and 262,144 environments and filters, needs less, whatever is in it.
const DefaultMaxSize = 256 << 20

// A File is a Store in a file of mode 0600. A save replaces the file in one step: it writes another file in the same
// directory, which takes the place of the old one when all of it is on the disk. Several processes may use one
// file; the last save counts.
//
// Data that can't be used stays where it is until a save is about to replace it. It is then set aside in a file of the
// same name with ".bad" appended, in place of the one before.
type File struct {
	// Path is the path of the file. Its directory must exist, and allow files to be created. If Path is a symbolic
	// link, the file that it leads to is meant, and the link stays; that file need not exist. What is there and is
	// not a regular file, such as a device, stays as it is; the error matches errors.ErrUnsupported.
	Path string
	// MaxSize limits what is loaded and saved, in bytes. A larger configuration is ErrTooLarge. The default, for
	// 0 and less, is DefaultMaxSize.
	MaxSize int64
}

const (
	asideSuffix = ".bad"
	// temporaryInfix stands between the file's name and digits in the name of a temporary file.
	temporaryInfix = ".unfinished-"
	// leftoverAge is the age at which a temporary file is no longer being written by anybody.
	leftoverAge = time.Hour
	// chunkSize is how many bytes are written between two looks at the context.
	chunkSize = 1 << 20
	// maxLinks is how many symbolic links may lead from one to the next.
	maxLinks = 40
)

var errLinks = errors.New("too many symbolic links")

// Load implements Store. It also removes temporary files that a crash has left behind, once they are an hour old.
func (f *File) Load(ctx context.Context) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	path, err := f.resolve()
	if err != nil {
		return nil, err
	}
	removeLeftovers(path)
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := limited.ReadAll(ctx, file, 0, f.maxSize())
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > f.maxSize() {
		return nil, ErrTooLarge
	}
	return data, nil
}

// Save implements Store. If ctx ends before the file is replaced, the old file stays.
func (f *File) Save(ctx context.Context, data []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if int64(len(data)) > f.maxSize() {
		return ErrTooLarge
	}
	path, err := f.resolve()
	if err != nil {
		return err
	}
	temporary, err := writeTemporary(ctx, path, data)
	if err != nil {
		return err
	}
	// Who waited for this may be gone, and another process may have saved since.
	if err = context.Cause(ctx); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncDirectory(path)
}

// SetAside renames the file.
func (f *File) SetAside(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	path, err := f.resolve()
	if err != nil {
		return err
	}
	return os.Rename(path, path+asideSuffix)
}

func (f *File) maxSize() int64 {
	if f.MaxSize > 0 {
		return f.MaxSize
	}
	return DefaultMaxSize
}

// resolve returns the path of the file that Path leads to. filepath.EvalSymlinks would not do: the file need not exist.
func (f *File) resolve() (string, error) {
	path := f.Path
	for range maxLinks {
		next, err := os.Readlink(path)
		if err != nil { // not a link
			return path, checkRegular(path)
		}
		if !filepath.IsAbs(next) {
			directory, _ := split(path)
			next = directory + next
		}
		path = next
	}
	return "", &os.PathError{Op: "resolve", Path: f.Path, Err: errLinks}
}

// checkRegular returns an error if there is something at path that is not a regular file. To open a named pipe could
// take for ever, and a save would put a file in the place of a device, such as /dev/null.
func checkRegular(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil // whoever uses the path learns what else is wrong with it
	}
	return &os.PathError{Op: "use as a cache", Path: path, Err: errors.ErrUnsupported}
}

// split returns the directory of path, with a separator at its end, and the name in it. Unlike filepath.Dir it does
// not shorten "a/..", because a may be a symbolic link.
func split(path string) (directory, name string) {
	directory, name = filepath.Split(path)
	if directory == "" {
		directory = "." + string(filepath.Separator)
	}
	return directory, name
}

// writeTemporary writes a file next to path and returns its name when all of it is on the disk. After an error there is
// no such file.
func writeTemporary(ctx context.Context, path string, data []byte) (name string, err error) {
	directory, base := split(path)
	file, err := os.CreateTemp(directory, base+temporaryInfix+"*")
	if err != nil {
		return "", err
	}
	err = write(ctx, file, data)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// write writes data to the disk, unless ctx ends first.
func write(ctx context.Context, file *os.File, data []byte) error {
	for chunk := range slices.Chunk(data, chunkSize) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, err := file.Write(chunk); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return file.Sync()
}

// removeLeftovers removes old temporary files of the file at path. What it can't remove, another Load will.
func removeLeftovers(path string) {
	directory, base := split(path)
	entries, _ := os.ReadDir(directory)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base+temporaryInfix) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > leftoverAge {
			_ = os.Remove(directory + e.Name())
		}
	}
}

// syncDirectory makes the renaming of a file to path last. Not every system can: Windows and some network file systems
// refuse, and have nothing better to offer.
func syncDirectory(path string) error {
	name, _ := split(path)
	directory, err := os.Open(name)
	if err != nil {
		return err
	}
	defer directory.Close()
	err = directory.Sync()
	if runtime.GOOS == "windows" || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cache: directory: %w", err)
	}
	return nil
}
