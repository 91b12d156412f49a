package sse

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// FuzzScan holds the parser to the reference, however the input is cut and whatever the limit, and
// so the cuts to each other, on the subscriber's goroutine and ahead of it.
func FuzzScan(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(bytes.Join(v.chunks(f), nil), []byte{1}, uint16(1<<15), v.InitialID)
	}
	f.Add([]byte("id: \x00\nid: 7\ndata: ab\r\ndata: cd\r\rretry: 99999999999999999999\n\n"), []byte{3, 0, 2}, uint16(8), "old")
	f.Add([]byte(":\n: a\ndata: b\n:c\nid: 1\n:d\ndata: e\n\n:f"), []byte{2}, uint16(100), "")
	f.Add(bytes.Repeat([]byte("data: 0123456789\n"), 1000), []byte{250, 1, 77}, uint16(11_000), "")
	f.Fuzz(func(t *testing.T, input, cuts []byte, limit uint16, id string) {
		want := reference(string(input), id, max(int(limit), 1), true)
		options := func() ScanOptions {
			return ScanOptions{MaxEventSize: max(int(limit), 1), Session: &Session{LastEventID: id}, Comments: true}
		}
		for _, r := range []io.Reader{
			&chunkReader{chunks: cut(input, cuts)},
			bytes.NewReader(input),
			iotest.DataErrReader(bytes.NewReader(input)),
		} {
			diff(t, scanAll(r, options()), want)
		}
		diff(t, readAll(&chunkReader{chunks: cut(input, cuts)}, options()), want)
	})
}
