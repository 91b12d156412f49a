package autoconfigtest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A Transcript is a conversation between a server and a client, in the form of a text file:
//
//	# why this conversation exists
//	> put {"path":"/","data":{"environments":{}}}
//	= synced
//	> : heartbeat
//	> raw "data: foo\n\n"
//	! cut
//	! status 503 Retry-After: 1
//	> patch {"path":"/environments/e1",
//	    "data":{"envID":"e1","version":1}}
//	= added e1 v1
//
// A line that starts with > is sent on the present connection, or on the next one if the present
// one was ended. It is an event, given by its name and its data, a comment, or raw bytes quoted as
// in Go. Lines that begin with a space or a tab continue it; each becomes a data field of an event.
//
// A line that starts with = is an expectation, which the test interprets.
//
// A line that starts with ! ends the present connection when everything sent on it has been written:
//
//	! end       in the regular way of HTTP
//	! cut       by closing the network connection
//	! reset     with a TCP reset
//	! leave     by waiting for the client to leave
//
// or, if no connection is open, answers the next request:
//
//	! status N  with status code N and, optionally, a header
//	! hang      never, and waits for the client to leave
//
// A line that starts with # is a comment. Comments and empty lines are allowed anywhere.
type Transcript struct{ steps []step }

// Format implements fmt.Formatter. Every verb prints the number of steps; the text may contain keys.
func (t *Transcript) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "autoconfigtest.Transcript(%d steps)", len(t.steps))
}

// A step is one line with its continuations.
type step struct {
	line int
	act  act
	text string // what is sent, or expected
	// fault answers a request, if act is actAnswer or actHang.
	fault Fault
}

type act string

const (
	actSend   act = "send"
	actExpect act = "expect"
	actEnd    act = "end"
	actCut    act = "cut"
	actReset  act = "reset"
	actLeave  act = "leave"
	actAnswer act = "status"
	actHang   act = "hang"
)

// answers reports whether the step answers a request without opening a stream.
func (s step) answers() bool { return s.act == actAnswer || s.act == actHang }

// ErrSyntax reports a malformed transcript. A [TranscriptError] wraps it.
var ErrSyntax = errors.New("autoconfigtest: malformed transcript")

// A TranscriptError reports a line of a transcript that is malformed or could not be performed.
type TranscriptError struct {
	// Line is the line number, from 1.
	Line int
	// Err is the reason.
	Err error
}

func (e *TranscriptError) Error() string { return fmt.Sprintf("transcript line %d: %v", e.Line, e.Err) }

func (e *TranscriptError) Unwrap() error { return e.Err }

// ParseTranscript reads a transcript. If it is malformed, the error is a *TranscriptError that wraps
// [ErrSyntax]; if reading fails, it is the error of r.
func ParseTranscript(r io.Reader) (*Transcript, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var t Transcript
	open := false
	for _, line := range logicalLines(string(text)) {
		s, err := line.parse()
		if err == nil && s.answers() && open {
			err = fmt.Errorf("%w: %s while a connection is open", ErrSyntax, s.act)
		}
		if err != nil {
			return nil, &TranscriptError{Line: line.number, Err: err}
		}
		if s.act != actExpect {
			open = s.act == actSend
		}
		t.steps = append(t.steps, s)
	}
	return &t, nil
}

// A logicalLine is a line with its continuations.
type logicalLine struct {
	number int
	text   string
}

func logicalLines(text string) []logicalLine {
	var lines []logicalLine
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		switch last := len(lines) - 1; {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case (line[0] == ' ' || line[0] == '\t') && last >= 0:
			lines[last].text += "\n" + strings.TrimLeft(line, " \t")
		default:
			lines = append(lines, logicalLine{number, line})
		}
	}
	return lines
}

func (l logicalLine) parse() (step, error) {
	s := step{line: l.number}
	rest := strings.TrimSpace(l.text[1:])
	var err error
	switch l.text[0] {
	case '>':
		s.act = actSend
		s.text, err = parseSend(rest)
	case '=':
		s.act, s.text = actExpect, rest
	case '!':
		s.act, s.fault, err = parseAct(rest)
	default:
		err = fmt.Errorf("%w: a line must start with >, =, ! or #", ErrSyntax)
	}
	return s, err
}

// parseSend returns the bytes to send.
func parseSend(text string) (string, error) {
	if comment, ok := strings.CutPrefix(text, ":"); ok {
		return ":" + strings.ReplaceAll(comment, "\n", "\n:") + "\n", nil
	}
	name, data, _ := strings.Cut(text, " ")
	switch name {
	case "":
		return "", fmt.Errorf("%w: nothing to send", ErrSyntax)
	case "raw":
		raw, err := strconv.Unquote(strings.TrimSpace(data))
		if err != nil {
			return "", fmt.Errorf("%w: raw needs a quoted string", ErrSyntax)
		}
		return raw, nil
	}
	return string(encodeEvent(name, data)), nil
}

func parseAct(text string) (act, Fault, error) {
	verb, argument, _ := strings.Cut(text, " ")
	switch a := act(verb); a {
	case actAnswer:
		fault, err := parseStatus(argument)
		return a, fault, err
	case actEnd, actCut, actReset, actLeave, actHang:
		if argument != "" {
			return "", nil, fmt.Errorf("%w: %s takes no argument", ErrSyntax, a)
		}
		if a == actHang {
			return a, Hang(), nil
		}
		return a, nil, nil
	}
	return "", nil, fmt.Errorf("%w: unknown verb %q", ErrSyntax, verb)
}

func parseStatus(text string) (Fault, error) {
	number, field, _ := strings.Cut(text, " ")
	code, err := strconv.Atoi(number)
	if err != nil || code < 200 || code > 999 {
		return nil, fmt.Errorf("%w: status needs a code from 200 to 999", ErrSyntax)
	}
	header := http.Header{}
	if field != "" {
		name, value, ok := strings.Cut(field, ":")
		if !ok {
			return nil, fmt.Errorf("%w: a header needs a colon", ErrSyntax)
		}
		header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return Answer(code, header, http.StatusText(code)), nil
}
