package sse

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// decoded returns the body of resp without its content coding. The request asks for none, but proxies
// add one all the same.
func decoded(resp *http.Response, req *http.Request) (io.Reader, error) {
	coding := strings.TrimSpace(strings.Join(resp.Header.Values("Content-Encoding"), ","))
	switch strings.ToLower(coding) {
	case "", "identity":
		return resp.Body, nil
	case "gzip", "x-gzip":
		return newGunzip(resp.Body), nil
	default:
		return nil, &ContentCodingError{Coding: shown(coding, 1, req)}
	}
}

// A gunzip decompresses as far as the sender has flushed. It reads nothing before its first Read, so that
// the time limits of a read hold for the gzip header, too. A sender may flush by ending a member of the gzip
// data, and begin the next one much later: a gzip.Reader left to itself would wait for that.
type gunzip struct {
	compressed *bufio.Reader
	plain      gzip.Reader
	inMember   bool
}

func newGunzip(compressed io.Reader) *gunzip { return &gunzip{compressed: bufio.NewReader(compressed)} }

func (g *gunzip) Read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		if n, err = g.readMember(p); err == io.EOF && g.inMember {
			g.inMember, err = false, nil
		}
	}
	return n, err
}

// readMember reads from the present member, or else from the next one.
func (g *gunzip) readMember(p []byte) (int, error) {
	if !g.inMember {
		if err := g.plain.Reset(g.compressed); err != nil {
			return 0, err
		}
		g.plain.Multistream(false)
		g.inMember = true
	}
	return g.plain.Read(p)
}
