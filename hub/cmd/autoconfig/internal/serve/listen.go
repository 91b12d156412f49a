package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/internal/quote"
	"github.com/relaystream/autoconfig/internal/request"
)

// Limits of a request. There is none for the time of a response, because a stream is one; the handlers set deadlines.
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// listeners are the addresses on which the hub is reached.
type listeners struct {
	public, admin net.Listener // admin may be nil
	servers       []*http.Server
	serving       []func() error
}

// listen opens the addresses.
func (s *server) listen() (*listeners, error) {
	l := new(listeners)
	var certificate *certificate
	var err error
	if s.flags.tlsCert != "" {
		if certificate, err = loadCertificate(s.flags.tlsCert, s.flags.tlsKey, s.log); err != nil {
			return nil, err
		}
	}
	if l.public, err = l.add(s.flags.listen, s.routes(s.flags.adminListen == ""), certificate, s.log); err != nil {
		return nil, err
	}
	if s.flags.adminListen != "" {
		if l.admin, err = l.add(s.flags.adminListen, s.admin, certificate, s.log); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

// routes is what the public address serves: the stream, probes, and the page and metrics if everything is to be there.
func (s *server) routes(everything bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, request.Path):
			s.hub.ServeHTTP(w, r)
		case everything, r.URL.Path == "/readyz", r.URL.Path == "/healthz":
			s.admin.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

// add opens an address, on which handler will be served.
func (l *listeners) add(address string, handler http.Handler, certificate *certificate, logger *slog.Logger) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: log.New(errorLog{logger}, "", 0),
	}
	serve := func() error { return server.Serve(listener) }
	if certificate != nil {
		server.TLSConfig = &tls.Config{GetCertificate: certificate.get, MinVersion: tls.VersionTLS12}
		serve = func() error { return server.ServeTLS(listener, "", "") }
	}
	l.servers, l.serving = append(l.servers, server), append(l.serving, serve)
	return listener, nil
}

// serve serves all addresses until one fails or they are closed.
func (l *listeners) serve() error {
	failed := make(chan error, len(l.serving))
	for _, serve := range l.serving {
		go func() { failed <- serve() }()
	}
	var failure error
	for range l.serving {
		if err := <-failed; failure == nil && !errors.Is(err, http.ErrServerClosed) {
			failure = err
			l.close()
		}
	}
	return failure
}

// shutDown lets what is being answered end, until ctx does.
func (l *listeners) shutDown(ctx context.Context) {
	for _, server := range l.servers {
		_ = server.Shutdown(ctx) // else close cuts it off
	}
	l.close()
}

// close closes all addresses and connections at once.
func (l *listeners) close() {
	for _, server := range l.servers {
		_ = server.Close() // it was served; there is nothing to be done about an error
	}
	for _, listener := range []net.Listener{l.public, l.admin} {
		if listener != nil {
			_ = listener.Close() // in case it was never served
		}
	}
}

// An errorLog passes what an http.Server reports to the log: one line, without what it quotes of requests.
type errorLog struct{ log *slog.Logger }

func (e errorLog) Write(text []byte) (int, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line, _, _ = bytes.Cut(line, []byte(`"`))
	e.log.Warn("HTTP server", "problem", quote.Line(string(line)))
	return len(text), nil
}
