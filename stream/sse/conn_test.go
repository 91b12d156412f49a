package sse

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
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

// The same where the caller's transport dials with TLS, except for HTTP/2, in which the server may speak first.
func TestServerDoesNotSpeakFirstInTLS(t *testing.T) {
	certificates := selfSigned(t)
	for _, protocol := range []string{"", "http/1.1", "h2"} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			server := tls.Server(far, &tls.Config{Certificates: certificates, NextProtos: []string{protocol}})
			go func() { _, _ = io.WriteString(server, "a") }()
			config := &tls.Config{InsecureSkipVerify: true}
			if protocol != "" {
				config.NextProtos = []string{protocol}
			}
			conns := &connections{limit: time.Second}
			defer conns.close()
			client, err := conns.ofTLS(func(context.Context, string, string) (net.Conn, error) {
				return tls.Client(near, config), nil
			})(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			read := make(chan byte, 1)
			go func() {
				p := make([]byte, 1)
				_, _ = client.Read(p)
				read <- p[0]
			}()
			synctest.Wait()
			if _, isTLS := client.(*tls.Conn); isTLS != (protocol == "h2") || isTLS != (len(read) == 1) {
				t.Errorf("%q: a %T, of which %d bytes were read", protocol, client, len(read))
			}
			go func() { _, _ = io.Copy(io.Discard, server) }()
			_, _ = client.Write([]byte{'x'})
			if c := <-read; c != 'a' {
				t.Errorf("%q: read %c", protocol, c)
			}
			resp := new(http.Response)
			if conns.describe(resp); protocol != "h2" && (resp.TLS == nil || !resp.TLS.HandshakeComplete) {
				t.Errorf("%q: the response tells nothing of TLS", protocol)
			}
		})
	}
}
