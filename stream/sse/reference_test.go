package sse

import (
	"io"
	"math/big"
	"strings"
	"time"
)

// An outcome is all that can be observed of a scan. The events are kept.
type outcome struct {
	Events  []Event
	Session Session
	Err     error
}

func scanAll(r io.Reader, o ScanOptions) outcome {
	if o.Session == nil {
		o.Session = new(Session)
	}
	var out outcome
	o.Borrow = true
	for event, err := range Scan(r, &o) {
		if err != nil {
			out.Err = err
			break
		}
		out.Events = append(out.Events, event.Clone())
	}
	out.Session = *o.Session
	return out
}

// reference parses a whole stream as the text of the standard says, with no thought of speed.
func reference(input, lastEventID string, limit int, comments bool) outcome {
	out := outcome{Session: Session{LastEventID: lastEventID}}
	data, typ, id, retry, hasRetry := "", "", lastEventID, time.Duration(0), false
	lines, rest := splitLines(input)
	for i, line := range lines {
		if len(strings.TrimSuffix(data, "\n"))+len(line) > limit {
			out.Err = ErrEventTooLarge
			return out
		}
		if i == 0 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line == "" {
			out.Session.LastEventID = id
			if data != "" {
				if typ == "" {
					typ = "message"
				}
				out.Events = append(out.Events,
					Event{Type: typ, Data: []byte(strings.TrimSuffix(data, "\n")), LastEventID: id, Retry: retry, HasRetry: hasRetry})
			}
			data, typ, retry, hasRetry = "", "", 0, false
			continue
		}
		if line[0] == ':' && comments {
			out.Events = append(out.Events, Event{Data: []byte(line[1:]), LastEventID: out.Session.LastEventID})
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			typ = value
		case "data":
			data += value + "\n"
		case "id":
			if !strings.Contains(value, "\x00") {
				id = value
			}
		case "retry":
			if value != "" && strings.Trim(value, "0123456789") == "" {
				retry, hasRetry = referenceRetry(value), true
				out.Session.retry, out.Session.retrySeen = retry, true
			}
		}
	}
	if len(strings.TrimSuffix(data, "\n"))+len(rest) > limit {
		out.Err = ErrEventTooLarge
	}
	return out
}

func referenceRetry(digits string) time.Duration {
	n, _ := new(big.Int).SetString(digits, 10)
	if n.Cmp(big.NewInt(time.Hour.Milliseconds())) > 0 {
		return time.Hour
	}
	return time.Duration(n.Int64()) * time.Millisecond
}

// splitLines returns the terminated lines of s, and what follows the last.
func splitLines(s string) (lines []string, rest string) {
	for {
		i := strings.IndexAny(s, "\r\n")
		if i < 0 {
			return lines, s
		}
		lines = append(lines, s[:i])
		if strings.HasPrefix(s[i:], "\r\n") {
			i++
		}
		s = s[i+1:]
	}
}

// A chunkReader returns one chunk at each read, or the beginning of it that fits, then io.EOF.
type chunkReader struct {
	chunks [][]byte
	reads  int
}

func (r *chunkReader) Read(p []byte) (int, error) {
	r.reads++
	if len(r.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.chunks[0])
	if r.chunks[0] = r.chunks[0][n:]; len(r.chunks[0]) == 0 {
		r.chunks = r.chunks[1:]
	}
	return n, nil
}

// cut divides input into chunks of the given sizes, over and over; without sizes it is one chunk.
// A 0 makes an empty chunk, but of two in a row the second has a byte, to get ahead.
func cut(input []byte, sizes []byte) [][]byte {
	if len(sizes) == 0 {
		return [][]byte{input}
	}
	var chunks [][]byte
	for i, last := 0, 1; len(input) > 0; i++ {
		n := int(sizes[i%len(sizes)])
		if n == 0 && last == 0 {
			n = 1
		}
		n = min(n, len(input))
		chunks = append(chunks, input[:n])
		input, last = input[n:], n
	}
	return chunks
}
