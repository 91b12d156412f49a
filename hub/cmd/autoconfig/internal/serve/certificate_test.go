package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// A pair is the files of a certificate and its key.
type pair struct{ cert, key string }

// replace writes a new certificate with the serial number, as a program does that renews certificates: under other names
// first. It returns the certificate.
func (p pair) replace(t *testing.T, serial int64) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func (p pair) write(t *testing.T, cert, key []byte) {
	t.Helper()
	for path, text := range map[string][]byte{p.key: key, p.cert: cert} {
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
}

func newPair(t *testing.T) pair {
	dir := t.TempDir()
	return pair{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
}

func TestCertificateIsReadAgain(t *testing.T) {
	p := newPair(t)
	p.replace(t, 1)
	var book testkit.Logbook
	c, err := loadCertificate(p.cert, p.key, book.Logger())
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.SerialNumber.Int64()
	}
	for _, step := range []struct {
		why    string
		change func()
		want   int64
	}{
		{"at first", func() {}, 1},
		{"after a change", func() { p.replace(t, 2) }, 2},
		{"while they are unusable", func() { p.write(t, []byte("not PEM"), []byte("not PEM")) }, 2},
		{"once they are usable", func() { p.replace(t, 3) }, 3},
		{"while one is missing", func() { _ = os.Remove(p.key) }, 3},
		{"once it is back", func() { p.replace(t, 4) }, 4},
	} {
		step.change()
		for range 2 {
			if got := serial(); got != step.want {
				t.Errorf("%s it is number %d, want %d", step.why, got, step.want)
			}
		}
		if lines := len(book.Take()); lines > 1 {
			t.Errorf("%s there are %d lines in the log for two handshakes", step.why, lines)
		}
	}
}

// TestFileWrittenInPlace: only the time tells that a file has changed, if its size has not.
func TestFileWrittenInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	stat := func(modified time.Time) fs.FileInfo {
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	now := time.Now()
	before := stat(now)
	if !same(before, stat(now)) || same(before, stat(now.Add(time.Second))) {
		t.Error("the time of the change makes no difference")
	}
}

// TestTLS reads the stream over TLS, and the page over HTTP/2.
func TestTLS(t *testing.T) {
	p := newPair(t)
	pool := x509.NewCertPool()
	pool.AddCert(p.replace(t, 1))
	r := start(t, "-stream-uri", service(t).URL, "-tls-cert", p.cert, "-tls-key", p.key)
	address := r.address()
	if !strings.HasPrefix(address, "https:") {
		t.Errorf("it listens on %s", address)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client, err := autoconfig.Open(t.Context(), testkit.Key, &autoconfig.Options{
		BaseURI: address, HTTPClient: &http.Client{Transport: transport}, Logger: testkit.Censored(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := client.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport}).Get(address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != 200 {
		t.Errorf("%s %s", response.Proto, response.Status)
	}
}
