package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// build builds the command and returns its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "autoconfig")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// environment is that of a process without the variables that this command reads, and with some more.
func environment(more ...string) (all []string) {
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AUTOCONFIG_") && !strings.HasPrefix(variable, cli.KeyVariable) {
			all = append(all, variable)
		}
	}
	return append(all, more...)
}

// start starts the command and returns one of its pipes. A command that is still there after a minute is killed.
func start(t *testing.T, command *exec.Cmd, pipe func() (io.ReadCloser, error)) io.ReadCloser {
	t.Helper()
	out, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	t.Cleanup(func() { watchdog.Stop() })
	return out
}

// TestProcess runs the command as a process: a demonstration that listens, others that look at it, and a signal.
func TestProcess(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM to send")
	}
	path := build(t)
	hub := exec.CommandContext(t.Context(), path, "hub", "-demo", "-listen", "127.0.0.1:0")
	hub.Env = environment()
	stderr := start(t, hub, hub.StderrPipe)
	lines := bufio.NewReader(stderr)
	line, err := lines.ReadString('\n')
	found := regexp.MustCompile(`^listening on (http://127\.0\.0\.1:\d+)\n$`).FindStringSubmatch(line)
	if found == nil {
		_ = hub.Process.Kill()
		_ = hub.Wait()
		t.Fatalf("the first line is %q (%v)", line, err)
	}

	for name, test := range map[string]struct {
		args []string
		key  string
		want int
	}{
		"check":                  {[]string{"check"}, string(demo.Key), cli.Done},
		"check with a wrong key": {[]string{"check"}, "other", cli.Failure},
		"watch with a wrong key": {[]string{"watch"}, "other", cli.KeyRejected},
		"watch without a key":    {[]string{"watch"}, "", cli.Usage},
	} {
		command := exec.CommandContext(t.Context(), path, test.args...)
		command.Env = environment(cli.KeyVariable+"="+test.key, "AUTOCONFIG_STREAM_URI="+found[1])
		out, err := command.CombinedOutput()
		if command.ProcessState == nil || command.ProcessState.ExitCode() != test.want {
			t.Errorf("%s: %v, want status %d: %s", name, err, test.want, out)
		}
	}
	watchOneLine(t, path, found[1])

	if err := hub.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	if err := hub.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v: %s", err, rest)
	}
}

// TestSecondSignal interrupts a hub while it ends its readers one after the other.
func TestSecondSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM to send")
	}
	const readers = 10 // of which one is ended each second
	service := autoconfigtest.NewServer("rel-key")
	defer service.Close()
	service.Put(autoconfig.PutContent{})
	hub := exec.CommandContext(t.Context(), build(t), "hub", "-listen", "127.0.0.1:0", "-stream-uri", service.URL)
	hub.Env = environment(cli.KeyVariable + "=rel-key")
	stderr := start(t, hub, hub.StderrPipe)
	ctx, cancel := context.WithCancel(t.Context())
	var streams sync.WaitGroup
	defer streams.Wait()
	defer cancel()
	came := 0
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		line := lines.Text()
		switch address, listens := strings.CutPrefix(line, "listening on "); {
		case listens:
			for range readers {
				streams.Go(func() {
					changes := autoconfig.Observe("rel-key", &autoconfig.Options{BaseURI: address, Logger: slog.New(slog.DiscardHandler)})
					_ = changes.ForEach(ctx, func(autoconfig.Change) error { return nil }) // ends with ctx
				})
			}
		case strings.Contains(line, "reader came"):
			if came++; came == readers {
				_ = hub.Process.Signal(syscall.SIGTERM)
			}
		case strings.Contains(line, "reader gone"): // each time, because the first signal is not dealt with at once
			_ = hub.Process.Signal(syscall.SIGTERM)
		}
	}
	_ = hub.Wait()
	if status := hub.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it has ended with %v", hub.ProcessState)
	}
}

// watchOneLine reads one line of what watch prints, and closes the pipe, as head does.
func watchOneLine(t *testing.T, path, address string) {
	t.Helper()
	watch := exec.CommandContext(t.Context(), path, "watch", "-stream-uri", address)
	watch.Env = environment(cli.KeyVariable + "=" + string(demo.Key))
	stdout := start(t, watch, watch.StdoutPipe)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if !strings.Contains(line, "environment added") {
		t.Errorf("watch prints %q (%v)", line, err)
	}
	_ = stdout.Close()
	if err := watch.Wait(); err != nil { // after the next change
		t.Errorf("after its output was closed: %v", err)
	}
}

func TestRun(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want int
	}{
		"nothing":            {nil, cli.Usage},
		"no subcommand":      {[]string{"rel-0000"}, cli.Usage},
		"help":               {[]string{"-help"}, cli.Done},
		"help of subcommand": {[]string{"hub", "-help"}, cli.Done},
		"a flag before it":   {[]string{"-json", "watch"}, cli.Usage},
	} {
		var out, err bytes.Buffer
		p := &cli.Process{Args: test.args, Getenv: func(string) string { return "" }, Stdout: &out, Stderr: &err}
		if got := run(t.Context(), p); got != test.want {
			t.Errorf("%s: status %d, want %d", name, got, test.want)
		}
		said, silent := &out, &err
		if test.want != cli.Done {
			said, silent = silent, said
		}
		if said.Len() == 0 || silent.Len() > 0 || strings.Contains(said.String(), "0000") {
			t.Errorf("%s: output %q, error %q", name, &out, &err)
		}
	}
}
