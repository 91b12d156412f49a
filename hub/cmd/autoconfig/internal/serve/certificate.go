package serve

import (
	"crypto/tls"
	"io/fs"
	"log/slog"
	"os"
	"sync"
)

// A certificate is read from files, and again when these have changed. If the new ones cannot be used, it stays as it was.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	seen    [2]fs.FileInfo // the files when they were last read, usable or not
}

// loadCertificate reads the files for the first time.
func loadCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	c.seen = c.stat()
	loaded, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.current = &loaded
	return c, nil
}

// get returns the certificate for a handshake.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if files := c.stat(); !same(files[0], c.seen[0]) || !same(files[1], c.seen[1]) {
		c.seen = files
		c.reload()
	}
	return c.current, nil
}

func (c *certificate) reload() {
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.log.Warn("the TLS certificate has changed and cannot be used; the old one stays", "error", err)
		return
	}
	c.current = &loaded
	c.log.Info("the TLS certificate has changed")
}

// stat describes the files, with nil for one that is not there.
func (c *certificate) stat() (files [2]fs.FileInfo) {
	for i, path := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(path); err == nil {
			files[i] = info
		}
	}
	return files
}

// same reports whether a file has not changed.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
