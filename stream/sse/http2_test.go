package sse

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// HTTP/2 with TLS, in the ways in which programs switch it on.
func TestHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("the protocol is %s", r.Proto)
		}
		writeStream(w, "data: x\n\n")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	trusting := server.Client().Transport.(*http.Transport).TLSClientConfig
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	dial := func(network, address string) (net.Conn, error) {
		config := trusting.Clone()
		config.NextProtos = []string{"h2"}
		return tls.Dial(network, address, config)
	}
	for name, transport := range map[string]*http.Transport{
		"ForceAttemptHTTP2": {TLSClientConfig: trusting.Clone(), ForceAttemptHTTP2: true},
		"Protocols":         {TLSClientConfig: trusting.Clone(), Protocols: protocols},
		"DialTLS":           {DialTLS: dial, ForceAttemptHTTP2: true},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				if data, err := receive(t.Context(), &http.Client{Transport: transport}, server.URL); len(data) != 1 || !errors.Is(err, ErrEndOfStream) {
					t.Errorf("%q, %v", data, err)
				}
			}
		})
	}
}

func TestIPv6(t *testing.T) {
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { writeStream(w, "data: x\n\n") })}}
	server.Start()
	defer server.Close()
	data, err := collect(t, Get(server.URL), &ConnectOptions{RefusePlainHTTP: true})
	if len(data) != 1 || !errors.Is(err, ErrEndOfStream) {
		t.Errorf("%q, %v", data, err)
	}
}
