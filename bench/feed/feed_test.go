package feed

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The client reads what was rendered, whatever the chunks are.
func TestBytesArrive(t *testing.T) {
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	blocks := [][]byte{[]byte("event: a\n\n"), make([]byte, slabSize), []byte("b"), []byte("c")}
	want := slices.Concat(blocks...)
	for _, flush := range []int{1, 3, 100} {
		segment, err := Render(flush, slices.Values(blocks))
		if err != nil {
			t.Fatal(err)
		}
		if segment.Bytes != len(want) || segment.Events != len(blocks) {
			t.Errorf("flush %d: %d bytes and %d events, want %d and %d",
				flush, segment.Bytes, segment.Events, len(want), len(blocks))
		}
		got := make([]byte, len(want))
		sent := make(chan error, 1)
		go func() { sent <- sendTo(t, server, segment) }()
		response, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("flush %d: other bytes arrived", flush)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		_ = response.Body.Close()
		segment.Free()
	}
}

func sendTo(t *testing.T, server *Server, segment *Segment) error {
	conn, err := server.Accept(t.Context())
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Send(segment)
}

func TestSendingDoesNotAllocate(t *testing.T) {
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		response, err := http.Get(server.URL)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}()
	conn, err := server.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	segment, err := Render(1, slices.Values([][]byte{[]byte("data: x\n\n")}))
	if err != nil {
		t.Fatal(err)
	}
	defer segment.Free()
	allocations := testing.AllocsPerRun(100, func() {
		if err := conn.Send(segment); err != nil {
			t.Error(err)
		}
	})
	if allocations >= 1 {
		t.Errorf("sending allocates %v times", allocations)
	}
}
