package tap

import "io"

// Body returns a reader of body, for a value that has not arrived completely. At the end of body, and only there, it
// calls complete, with all data if keep is true.
func Body(body io.Reader, keep bool, complete func(data []byte)) io.Reader {
	return &tapped{body: body, keep: keep, complete: complete}
}

type tapped struct {
	body     io.Reader
	keep     bool
	data     []byte
	complete func(data []byte) // nil once it has been called
}

// Read implements io.Reader.
func (t *tapped) Read(p []byte) (int, error) {
	n, err := t.body.Read(p)
	if t.keep {
		t.data = append(t.data, p[:n]...)
	}
	if err == io.EOF && t.complete != nil {
		complete := t.complete
		t.complete = nil
		complete(t.data)
	}
	return n, err
}
