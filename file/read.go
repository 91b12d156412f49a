package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// ErrTooLarge reports a file of more than Options.MaxSize bytes.
var ErrTooLarge = errors.New("file is larger than the limit")

// chunkSize is how many bytes are read between two looks at the context.
const chunkSize = 1 << 20

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
	data, err := readAll(ctx, file, info.Size(), maxSize)
	if err == nil && int64(len(data)) > maxSize { // it has grown
		err = &fs.PathError{Op: "read", Path: path, Err: ErrTooLarge}
	}
	return data, &check{info, begun}, err
}

// readAll reads at most one byte more than maxSize. About size bytes are expected.
func readAll(ctx context.Context, r io.Reader, size, maxSize int64) ([]byte, error) {
	data := make([]byte, 0, min(size, maxSize)+1) // one more, to find the end
	for int64(len(data)) <= maxSize {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):min(cap(data), len(data)+chunkSize)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
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
