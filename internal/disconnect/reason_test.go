package disconnect

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/stream/sse"
)

func status(code int) error { return &sse.StatusError{Code: code} }

// ends lists every exported error of packages sse and decode, and others that a connection can end with.
// The first word of name is the error's.
var ends = []struct {
	name string
	err  error
	want Reason
}{
	{"decode.ErrReconnect", decode.ErrReconnect, Requested},
	{"decode.MalformedError", &decode.MalformedError{Err: errors.New("no data")}, Malformed},
	{"decode.ErrTooMany", &decode.MalformedError{Err: decode.ErrTooMany}, Malformed},
	{"sse.ErrEventTooLarge", sse.ErrEventTooLarge, Malformed},
	{"sse.ErrLateType", sse.ErrLateType, Malformed},
	{"decode.RefusedError", &decode.RefusedError{Err: errors.New("keys")}, Refused},
	{"decode.ErrAnchor", &decode.RefusedError{Err: decode.ErrAnchor}, Refused},
	{"decode.ErrEmptyKey", &decode.RefusedError{Err: decode.ErrEmptyKey}, Refused},
	{"sse.StatusError 401", status(401), Rejected},
	{"sse.StatusError 403", status(403), Rejected},
	{"sse.StatusError 400", status(400), BadResponse},
	{"sse.StatusError 402", status(402), BadResponse},
	{"sse.StatusError 101", status(101), BadResponse},
	{"sse.StatusError 204", status(204), BadResponse},
	{"sse.StatusError 302", status(302), BadResponse},
	{"sse.StatusError 503", status(503), BadResponse},
	{"sse.ContentTypeError", &sse.ContentTypeError{}, BadResponse},
	{"sse.ContentCodingError", &sse.ContentCodingError{}, BadResponse},
	{"sse.ErrRestart", sse.ErrRestart, Failed},
	{"sse.ErrPlainHTTP", sse.ErrPlainHTTP, BadResponse},
	{"sse.ErrUnauthorized", &sse.StatusError{Code: 403}, Rejected},
	{"sse.ErrIdle", sse.ErrIdle, TimedOut},
	{"sse.ErrConnectTimeout", sse.ErrConnectTimeout, TimedOut},
	{"sse.ErrEndOfStream", sse.ErrEndOfStream, Ended},
	{"sse.ErrInvalidOption", sse.ErrInvalidOption, Failed},
	{"context.Canceled", context.Canceled, Failed},
	{"network", errors.New("connection reset by peer"), Failed},

	// No connection ends with these: the message or the entry is ignored.
	{"decode.IgnoredError", &decode.IgnoredError{Err: errors.New("ignored")}, Failed},
	{"decode.ErrUnknownEvent", decode.ErrUnknownEvent, Failed},
	{"decode.ErrPutPath", decode.ErrPutPath, Failed},
	{"decode.ErrUnknownPath", decode.ErrUnknownPath, Failed},
	{"decode.ErrWrongID", decode.ErrWrongID, Failed},
}

func TestReasonOf(t *testing.T) {
	for _, test := range ends {
		wrapped := fmt.Errorf("reading: %w", errors.Join(errors.New("other"), test.err))
		for _, err := range []error{test.err, wrapped} {
			if got := ReasonOf(err); got != test.want {
				t.Errorf("%s, as %q: %v, want %v", test.name, err, got, test.want)
			}
		}
	}
}

func TestStatusCode(t *testing.T) {
	for err, want := range map[error]int{
		status(503):                        503,
		fmt.Errorf("key: %w", status(401)): 401,
		&sse.ContentTypeError{}:            0,
		errors.New("status 401"):           0,
	} {
		if got := StatusCode(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for r := Failed; r <= Ended; r++ {
		if name := r.String(); name == "" || seen[name] || strings.HasPrefix(name, "Reason") {
			t.Errorf("reason %d is called %q", r, name)
		} else {
			seen[name] = true
		}
	}
	if got := (Ended + 1).String(); got != "Reason(8)" {
		t.Error(got)
	}
}

// TestEveryErrorHasAReason makes whoever adds an error to sse or decode decide about its reason.
func TestEveryErrorHasAReason(t *testing.T) {
	listed := make(map[string]bool)
	for _, test := range ends {
		name, _, _ := strings.Cut(test.name, " ")
		listed[name] = true
	}
	for _, dir := range []string{"../../stream/sse", "../../decode"} {
		for _, name := range exportedErrors(t, dir) {
			if !listed[name] {
				t.Errorf("%s is not among the errors that are tested", name)
			}
		}
	}
}

// exportedErrors returns the names of a package's exported errors and error types, such as sse.ErrIdle.
func exportedErrors(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, file := range parse(t, dir) {
		for name := range file.Scope.Objects {
			if ast.IsExported(name) && (strings.HasPrefix(name, "Err") || strings.HasSuffix(name, "Error")) {
				names = append(names, file.Name.Name+"."+name)
			}
		}
	}
	if len(names) == 0 {
		t.Fatalf("no errors in %s", dir)
	}
	return names
}

func parse(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// TestUnusable: only what is about the whole put, not a patch with its path, nor an entry.
func TestUnusable(t *testing.T) {
	whole := &decode.IgnoredError{Event: decode.PutEvent, Path: "/", Err: errors.New("no file")}
	for err, want := range map[error]bool{
		nil:                              false,
		whole:                            true,
		fmt.Errorf("wrapped: %w", whole): true,
		&decode.IgnoredError{Event: decode.PatchEvent, Path: "/", Err: decode.ErrUnknownPath}:          false,
		&decode.IgnoredError{Event: decode.PutEvent, Path: "/environments/e1", Err: decode.ErrWrongID}: false,
	} {
		if Unusable(err) != want {
			t.Errorf("%v: %t", err, !want)
		}
	}
}
