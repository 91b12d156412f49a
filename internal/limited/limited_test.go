package limited

import (
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadAll(t *testing.T) {
	const text = "0123456789"
	for limit, want := range map[int64]int{0: 1, 4: 5, 9: 10, 10: 10, 11: 10, math.MaxInt64: 10} {
		for _, expected := range []int64{0, 1, 10, 11, math.MaxInt64} {
			data, err := ReadAll(t.Context(), strings.NewReader(text), expected, limit)
			if err != nil || string(data) != text[:want] {
				t.Errorf("limit %d, %d expected: %q, %v, want %d bytes", limit, expected, data, err, want)
			}
		}
	}
	if _, err := ReadAll(t.Context(), iotest.ErrReader(io.ErrUnexpectedEOF), 0, 10); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
}

func TestReadAllStopsWithItsContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	chunks := 0
	endless := func(p []byte) (int, error) {
		if chunks++; chunks == 3 {
			cancel(cause)
		}
		return len(p), nil
	}
	if _, err := ReadAll(ctx, readerFunc(endless), 0, 1<<30); err != cause || chunks != 3 {
		t.Errorf("%v after %d chunks", err, chunks)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
