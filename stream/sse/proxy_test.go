package sse

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tunnel is a proxy that does what CONNECT asks for.
func tunnel(w http.ResponseWriter, r *http.Request) {
	server, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	_, _ = io.WriteString(client, "HTTP/1.1 200 Established\r\n\r\n")
	var copying sync.WaitGroup
	copying.Go(func() {
		_, _ = io.Copy(server, buffered)
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
	_ = client.Close()
	copying.Wait()
}

// A stream arrives through a proxy, with one TLS handshake or two.
func TestThroughAProxy(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeStream(w, "data: x\n\n") }))
		server.EnableHTTP2 = http2
		server.StartTLS()
		defer server.Close()
		for name, proxy := range map[string]*httptest.Server{
			"http":  httptest.NewServer(http.HandlerFunc(tunnel)),
			"https": httptest.NewTLSServer(http.HandlerFunc(tunnel)),
		} {
			t.Run(name, func(t *testing.T) {
				defer proxy.Close()
				address, _ := url.Parse(proxy.URL)
				trusted := x509.NewCertPool()
				for _, s := range []*httptest.Server{server, proxy} {
					if s.Certificate() != nil {
						trusted.AddCert(s.Certificate())
					}
				}
				client := &http.Client{Transport: &http.Transport{
					Proxy: http.ProxyURL(address), TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: http2,
				}}
				if data, err := receive(t.Context(), client, server.URL); len(data) != 1 || !errors.Is(err, ErrEndOfStream) {
					t.Errorf("HTTP/2 %t: %q, %v", http2, data, err)
				}
			})
		}
	}
}

// What a proxy says in answer to CONNECT is quoted by net/http, too.
func TestProxies(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		then   string // in answer to the TLS handshake
		want   string // part of the error
		is     error
	}{
		"403":     {head("HTTP/1.1 403 "+planted, "X: "+planted), "", "proxy answered with status 403", nil},
		"407":     {head("HTTP/1.1 407 "+planted, "Proxy-Authenticate: "+planted), "", "proxy answered with status 407", nil},
		"HTML":    {"<html>" + plantedJSON + "</html>\r\n\r\n", "", "malformed HTTP response", nil},
		"200":     {head("HTTP/1.1 200 OK"), "<html>" + plantedJSON, "does not speak TLS", nil},
		"silence": {"", "", "", ErrConnectTimeout},
		"end":     {"end", "", "connection was closed", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t, func(conn net.Conn) {
					r := bufio.NewReader(conn)
					if req, err := http.ReadRequest(r); err != nil || req.Method != http.MethodConnect || req.Header.Get("Authorization") != "" {
						t.Errorf("the proxy got %v, %v", req, err)
					}
					if test.answer == "end" {
						return
					}
					go func() { _, _ = io.Copy(io.Discard, r) }()
					_, _ = io.WriteString(conn, test.answer)
					time.Sleep(time.Second)
					_, _ = io.WriteString(conn, test.then)
					time.Sleep(time.Minute)
				})
				proxy := &url.URL{Scheme: "http", Host: "proxy.example:3128"}
				w.client.Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
				start := time.Now()
				_, err := receive(t.Context(), w.client, "https://a.example/")
				if test.is != nil && !errors.Is(err, test.is) || err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v", err)
				}
				if strings.Contains(shownForms(err), planted) {
					t.Errorf("the key shows in %v", err)
				}
				if status := (*StatusError)(nil); errors.As(err, &status) {
					t.Error("a proxy's refusal passes for one of the server's")
				}
				if took := time.Since(start); took > 2*defaultConnectTimeout {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
