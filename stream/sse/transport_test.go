package sse

import (
	"net/http"
	"net/url"
	"testing"
)

// TestReadBuffer: a transport that sets no size of its own gets 16 KiB. The caller's is not modified.
func TestReadBuffer(t *testing.T) {
	for set, want := range map[int]int{0: 16 << 10, 4 << 10: 4 << 10} {
		callers := &http.Transport{ReadBufferSize: set}
		own := ownTransport(&http.Client{Transport: callers}, new(connections), &url.URL{Scheme: "https", Host: "a.example"})
		if own.ReadBufferSize != want || callers.ReadBufferSize != set {
			t.Errorf("%d, want %d; the caller's is %d, want %d", own.ReadBufferSize, want, callers.ReadBufferSize, set)
		}
	}
}
