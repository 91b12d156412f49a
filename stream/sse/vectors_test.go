package sse

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A vector is one line of testdata/sse_vectors.json; see the README there.
type vector struct {
	Name      string
	Chunks    []string
	ChunksB64 []string `json:"chunks_b64"`
	InitialID string   `json:"initial_last_event_id"`
	Expect    []struct {
		Event, Data, ID string
		RetryMS         any `json:"retry_ms"`
	}
	Final struct {
		LastEventID    string `json:"last_event_id"`
		ReconnectionMS any    `json:"reconnection_ms"`
	}
	EagerCounts []int `json:"eager_counts"`
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	content, err := os.ReadFile("testdata/sse_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(content, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

func (v *vector) chunks(t testing.TB) [][]byte {
	t.Helper()
	var chunks [][]byte
	for _, c := range v.Chunks {
		chunks = append(chunks, []byte(c))
	}
	for _, c := range v.ChunksB64 {
		b, err := base64.StdEncoding.DecodeString(c)
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, b)
	}
	return chunks
}

func (v *vector) want() outcome {
	out := outcome{Session: Session{LastEventID: v.Final.LastEventID}}
	for _, e := range v.Expect {
		retry, has := vectorRetry(e.RetryMS)
		out.Events = append(out.Events, Event{Type: e.Event, Data: []byte(e.Data), LastEventID: e.ID, Retry: retry, HasRetry: has})
	}
	if retry, ok := vectorRetry(v.Final.ReconnectionMS); ok {
		out.Session.retry, out.Session.retrySeen = retry, true
	}
	return out
}

func vectorRetry(ms any) (time.Duration, bool) {
	switch ms := ms.(type) {
	case float64:
		return min(time.Duration(min(ms, 1e9))*time.Millisecond, time.Hour), true
	case string: // a number above 2^53-1
		return time.Hour, true
	default:
		return 0, false
	}
}

// replaceInvalid replaces invalid UTF-8, which the vectors expect of a parser that returns text.
func replaceInvalid(out outcome) outcome {
	for i := range out.Events {
		e := &out.Events[i]
		e.Type, e.LastEventID = string([]rune(e.Type)), string([]rune(e.LastEventID))
		e.Data = []byte(string([]rune(string(e.Data))))
	}
	out.Session.LastEventID = string([]rune(out.Session.LastEventID))
	return out
}

func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		chunks := v.chunks(t)
		whole := bytes.Join(chunks, nil)
		readers := map[string]io.Reader{
			"as given":       &chunkReader{chunks: slices.Clone(chunks)},
			"joined":         bytes.NewReader(whole),
			"at every byte":  iotest.OneByteReader(bytes.NewReader(whole)),
			"with the error": iotest.DataErrReader(bytes.NewReader(whole)),
		}
		for how, r := range readers {
			t.Run(v.Name+"/"+how, func(t *testing.T) {
				got := replaceInvalid(scanAll(r, ScanOptions{Session: &Session{LastEventID: v.InitialID}}))
				diff(t, got, v.want())
			})
		}
		t.Run(v.Name+"/eagerly", func(t *testing.T) {
			if got := eagerCounts(chunks); !slices.Equal(got, v.EagerCounts) {
				t.Errorf("events after each chunk: %v, want %v", got, v.EagerCounts)
			}
		})
		t.Run(v.Name+"/reference", func(t *testing.T) {
			diff(t, replaceInvalid(reference(string(whole), v.InitialID, 1<<20, false)), v.want())
		})
	}
}

// eagerCounts returns how many events were yielded after each chunk before more was asked for.
func eagerCounts(chunks [][]byte) []int {
	var counts []int
	n := 0
	var parts []io.Reader
	for _, c := range chunks {
		parts = append(parts, bytes.NewReader(c), readerFunc(func([]byte) (int, error) {
			counts = append(counts, n)
			return 0, io.EOF
		}))
	}
	for range Scan(io.MultiReader(parts...), nil) {
		n++
	}
	return counts
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func diff(t *testing.T, got, want outcome) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.AllowUnexported(Session{}), cmp.Comparer(sameError)); d != "" {
		t.Error("want -, got +:\n", d)
	}
}

func sameError(a, b error) bool { return a == b }
