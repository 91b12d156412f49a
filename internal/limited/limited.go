// Package limited reads files of limited size, until a context ends.
package limited

import (
	"context"
	"io"
)

const (
	// chunkSize is how many bytes are read between two looks at the context.
	chunkSize = 1 << 20
	// maxExpected is how many bytes are allocated at once, whatever is expected.
	maxExpected = 64 << 20
)

// ReadAll reads r to its end, but at most one byte more than limit: the caller sees by the length that there is too
// much. expected is about how many bytes there are, 0 if that is unknown. If ctx ends, the error is its cause.
func ReadAll(ctx context.Context, r io.Reader, expected, limit int64) ([]byte, error) {
	data := make([]byte, 0, min(expected, limit, maxExpected)+1) // one more, to find the end
	for int64(len(data)) <= limit {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		end := int64(min(cap(data), len(data)+chunkSize))
		if end > limit {
			end = limit + 1
		}
		n, err := r.Read(data[len(data):end])
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
