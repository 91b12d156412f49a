package sse

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// decoded returns the body of resp without its content coding. The request asks for none, but proxies
// add one all the same.
func decoded(resp *http.Response, req *http.Request) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(strings.Join(resp.Header.Values("Content-Encoding"), ",")))
	switch coding {
	case "", "identity":
		return resp.Body, nil
	case "gzip", "x-gzip":
		return &gunzip{compressed: resp.Body}, nil
	default:
		return nil, &ContentCodingError{Coding: shown(coding, 1, req)}
	}
}

// A gunzip decompresses as far as the sender has flushed. It reads nothing before its first Read, so that
// the time limits of a read hold for the gzip header, too.
type gunzip struct {
	compressed io.Reader
	plain      *gzip.Reader
}

func (g *gunzip) Read(p []byte) (n int, err error) {
	if g.plain == nil {
		if g.plain, err = gzip.NewReader(g.compressed); err != nil {
			return 0, err
		}
	}
	return g.plain.Read(p)
}
