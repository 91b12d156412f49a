package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/relaystream/autoconfig/internal/limited"
)

// ErrTooLarge reports a file of more than Options.MaxSize bytes.
var ErrTooLarge = errors.New("file is larger than the limit")

// read returns the content of a regular file. The error is an *fs.PathError, or the cause of ctx.
func read(ctx context.Context, path string, maxSize int64) ([]byte, *check, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular(): // to open a named pipe could take for ever
		return nil, nil, &fs.PathError{Op: "read", Path: path, Err: errors.ErrUnsupported}
	case info.Size() > maxSize:
		return nil, nil, &fs.PathError{Op: "read", Path: path, Err: ErrTooLarge}
	}
	begun := time.Now()
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return nil, nil, err
	}
	data, err := limited.ReadAll(ctx, file, info.Size(), maxSize)
	switch {
	case err != nil:
		return nil, nil, err
	case int64(len(data)) > maxSize: // it has grown
		return nil, nil, &fs.PathError{Op: "read", Path: path, Err: ErrTooLarge}
	}
	return data, &check{info, begun}, nil
}

// A check is what a file looked like when it was read.
type check struct {
	info fs.FileInfo
	at   time.Time
}

// current reports whether the file at path still looks as it did. It does not trust a time of modification that was
// less than 2 s old when the file was read, because a later change could have the same time: file systems round it.
func (c *check) current(path string) bool {
	if c == nil {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, c.info) && info.Size() == c.info.Size() &&
		info.ModTime().Equal(c.info.ModTime()) && c.at.Sub(info.ModTime()) > 2*time.Second
}
