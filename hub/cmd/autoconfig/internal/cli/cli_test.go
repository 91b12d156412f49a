package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/stream/sse"
)

const secret = "rel-00000000-0000-tail"

// A process is one whose output a test reads.
type process struct {
	cli.Process
	out, err bytes.Buffer
}

func newProcess(environment map[string]string, args ...string) *process {
	p := &process{Process: cli.Process{Args: args, Getenv: func(name string) string { return environment[name] }}}
	p.Stdout, p.Stderr = &p.out, &p.err
	return p
}

// values are the flags that the tests use.
type values struct {
	cli.Service
	cli.Log
	number int
	yes    bool
}

func newFlags() (*cli.Flags, *values) {
	f, v := cli.NewFlags("test", "tests flags."), new(values)
	v.Service.Register(f)
	v.Log.Register(f, "warn")
	f.IntVar(&v.number, "a-number", 1, "a `NUMBER`")
	f.BoolVar(&v.yes, "yes", false, "yes or no")
	return f, v
}

func TestVariablesStandInForFlags(t *testing.T) {
	for name, test := range map[string]struct {
		environment map[string]string
		args        []string
		number      int
		yes         bool
	}{
		"defaults":                     {nil, nil, 1, false},
		"arguments":                    {nil, []string{"-a-number", "2", "-yes"}, 2, true},
		"variables":                    {map[string]string{"AUTOCONFIG_A_NUMBER": "3", "AUTOCONFIG_YES": "true"}, nil, 3, true},
		"arguments come first":         {map[string]string{"AUTOCONFIG_A_NUMBER": "3", "AUTOCONFIG_YES": "true"}, []string{"-a-number=2", "-yes=false"}, 2, false},
		"an empty variable is not set": {map[string]string{"AUTOCONFIG_A_NUMBER": "", "AUTOCONFIG_YES": ""}, nil, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, v := newFlags()
			p := newProcess(test.environment, test.args...)
			if status, ok := f.Parse(&p.Process); !ok {
				t.Fatalf("status %d: %s", status, &p.err)
			}
			if v.number != test.number || v.yes != test.yes {
				t.Errorf("number %d, yes %t", v.number, v.yes)
			}
			if given := f.Given("a-number"); given != (test.number != 1) {
				t.Errorf("given: %t", given)
			}
		})
	}
}

// TestWrongCallsRepeatNoValue calls a subcommand in wrong ways, with a key in every place where somebody may put it.
func TestWrongCallsRepeatNoValue(t *testing.T) {
	for name, test := range map[string]struct {
		variable, value string
		args            []string
		says            string // a word that tells where to look
	}{
		"an argument that is no flag": {args: []string{"-yes", secret}, says: "argument"},
		"a key as a flag":             {args: []string{"-" + secret}, says: "argument"},
		"an unknown flag":             {args: []string{"-key", secret}, says: "-key"},
		"an unknown flag with =":      {args: []string{"-key=" + secret}, says: "-key"},
		"a wrong value":               {args: []string{"-a-number", secret}, says: "-a-number"},
		"a wrong value with =":        {args: []string{"-yes", "-a-number=" + secret}, says: "-a-number"},
		"a wrong boolean value":       {args: []string{"-yes=" + secret}, says: "-yes"},
		"no value":                    {args: []string{"-yes", "-a-number"}, says: "-a-number"},
		"bad syntax":                  {args: []string{"--=" + secret}, says: "argument"},
		"a wrong word":                {args: []string{"-log-level", secret}, says: "-log-level"},
		"a wrong variable":            {variable: "AUTOCONFIG_A_NUMBER", value: secret, says: "AUTOCONFIG_A_NUMBER"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := newFlags()
			p := newProcess(map[string]string{test.variable: test.value}, test.args...)
			if status, ok := f.Parse(&p.Process); ok || status != cli.Usage {
				t.Errorf("status %d", status)
			}
			if text := p.err.String(); strings.Contains(text, "0000") || !strings.Contains(text, test.says) || !strings.Contains(text, "-help") {
				t.Errorf("it says %s", text)
			}
			if p.out.Len() > 0 {
				t.Errorf("it prints %s", &p.out)
			}
		})
	}
}

func TestHelpNamesEveryFlagAndVariable(t *testing.T) {
	f, _ := newFlags()
	p := newProcess(nil, "-help")
	if status, ok := f.Parse(&p.Process); ok || status != cli.Done || p.err.Len() > 0 {
		t.Errorf("status %d: %s", status, &p.err)
	}
	for _, word := range []string{
		"-stream-uri URI", "AUTOCONFIG_STREAM_URI", "-allow-plain-http", "-key-file FILE", "-log-format FORMAT", "-log-level LEVEL",
		"-a-number NUMBER", "AUTOCONFIG_A_NUMBER", "(default 1)", cli.KeyVariable, "Exit status",
	} {
		if !strings.Contains(p.out.String(), word) {
			t.Errorf("it does not say %q: %s", word, &p.out)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	p := newProcess(map[string]string{cli.KeyVariable: " " + secret + "\n"})
	key := func(file string) (autoconfig.AutoConfigKey, error) {
		s := cli.Service{KeyFile: file}
		return s.Key(&p.Process)
	}
	if got, err := key(""); err != nil || got != secret {
		t.Errorf("from the environment: %v %v", got, err)
	}
	if _, err := key(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("from a file that is not there: %v", err)
	}
	write(t, path, "file-key\n")
	options, err := (&cli.Service{KeyFile: path}).Options(&p.Process)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"file-key", "another-key"} { // it is read again
		write(t, path, want+"\r\n")
		if got, err := options.Key(t.Context()); err != nil || string(got) != want {
			t.Errorf("from a file: %v %v", got, err)
		}
	}
	for text, want := range map[string]error{"": cli.ErrNoKey, " \n": cli.ErrNoKey, "two\nlines": autoconfig.ErrInvalidKey} {
		write(t, path, text)
		if _, err := key(path); !errors.Is(err, want) {
			t.Errorf("from a file with %q: %v", text, err)
		}
	}
	write(t, path, strings.Repeat("k", 5000))
	if _, err := key(path); !errors.As(err, new(*fs.PathError)) {
		t.Errorf("from a file that is too long: %v", err)
	}
}

func TestLog(t *testing.T) {
	for level, lines := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1, "off": 0} {
		for _, format := range []string{"text", "json"} {
			f, v := newFlags()
			p := newProcess(nil, "-log-level", level, "-log-format", format)
			if _, ok := f.Parse(&p.Process); !ok {
				t.Fatal(&p.err)
			}
			logger := v.Logger(&p.err)
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				logger.Log(t.Context(), level, "text", "key", autoconfig.AutoConfigKey(secret))
			}
			got := 0
			for line := range strings.Lines(p.err.String()) {
				if got++; json.Valid([]byte(line)) != (format == "json") || strings.Contains(line, "0000") {
					t.Errorf("%s: %s", format, line)
				}
			}
			if got != lines {
				t.Errorf("%d lines at level %s, want %d", got, level, lines)
			}
		}
	}
}

func TestExitStatus(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"done":          {t.Context(), nil, cli.Done},
		"interrupted":   {ended, errors.New("any"), cli.Done},
		"a closed pipe": {t.Context(), fmt.Errorf("writing: %w", syscall.EPIPE), cli.Done},
		"an option":     {t.Context(), &autoconfig.OptionError{}, cli.Usage},
		"no key":        {t.Context(), cli.ErrNoKey, cli.Usage},
		"401":           {t.Context(), &sse.StatusError{Code: 401}, cli.KeyRejected},
		"204":           {t.Context(), &sse.StatusError{Code: 204}, cli.SentAway},
		"500":           {t.Context(), &sse.StatusError{Code: 500}, cli.Failure},
	} {
		if got := cli.ExitStatus(test.ctx, test.err); got != test.want {
			t.Errorf("%s: status %d, want %d", name, got, test.want)
		}
	}
}
