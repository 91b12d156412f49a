package sse

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// pipeOf returns a connection of conns, and its other end, to which something has been written.
func pipeOf(t *testing.T, conns *connections, sent string) (client, server net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	client, err := conns.of(func(context.Context, string, string) (net.Conn, error) { return near, nil })(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(far, sent) }()
	t.Cleanup(func() { _ = far.Close() })
	return client, far
}

func TestServerDoesNotSpeakFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := new(connections)
		client, server := pipeOf(t, conns, "ab")
		for _, want := range "ab" { // after the dial, and after a handshake
			read := make(chan byte, 1)
			go func() {
				p := make([]byte, 1)
				_, _ = client.Read(p)
				read <- p[0]
			}()
			synctest.Wait()
			if len(read) > 0 {
				t.Errorf("%c was read before a request", want)
			}
			go func() { _, _ = io.CopyN(io.Discard, server, 1) }()
			_, _ = client.Write([]byte{'x'})
			if c := <-read; rune(c) != want {
				t.Errorf("read %c, want %c", c, want)
			}
			conns.hush()
		}
		closed := make(chan error)
		go func() {
			_, err := client.Read(make([]byte, 1))
			closed <- err
		}()
		synctest.Wait()
		conns.close()
		if err := <-closed; err == nil {
			t.Error("it was read from after it was closed")
		}
	})
}

func TestConnectionsAreGone(t *testing.T) {
	conns := new(connections)
	client, server := pipeOf(t, conns, "")
	conns.close()
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("it can be read")
	}
	if _, err := server.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the other end is still open: %v", err)
	}
	near, far := net.Pipe()
	defer far.Close()
	_, err := conns.of(func(context.Context, string, string) (net.Conn, error) { return near, nil })(t.Context(), "", "")
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("a late dial: %v", err)
	}
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the late connection is open: %v", err)
	}
}
