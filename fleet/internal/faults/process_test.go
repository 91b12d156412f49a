//go:build unix

package faults_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/internal/testkit"
)

const (
	roleVariable = "FLEET_FAULTS_ROLE"
	castVariable = "FLEET_FAULTS_CAST"
)

// limit is how long a test waits for anything.
const limit = 3 * time.Minute

// A process is this test binary in another role. It ends when its standard input does, so it does not outlive the
// test.
type process struct {
	t       *testing.T
	command *exec.Cmd
	stdin   io.Closer
	done    chan struct{} // closed when it has ended and everything that it wrote was read
	err     error         // how it ended; set before done is closed

	mu      sync.Mutex
	log     []string
	stopped time.Time // when it was stopped, zero if it runs
}

// launch starts a process that plays a role. Each line that it prints is passed to heard.
func launch(t *testing.T, role string, cast any, heard func(line []byte)) *process {
	t.Helper()
	text, err := json.Marshal(cast)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, command: exec.Command(os.Args[0]), done: make(chan struct{})}
	p.command.Env = append(os.Environ(), roleVariable+"="+role, castVariable+"="+string(text))
	// In a group of its own a stopped process is woken up, and ended, when the test has died.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err1 := p.command.StdinPipe()
	stdout, err2 := p.command.StdoutPipe()
	stderr, err3 := p.command.StderrPipe()
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	p.stdin = stdin
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { lines(stdout, heard) })
	reading.Go(func() { lines(stderr, func(line []byte) { p.note(string(line)) }) })
	go func() {
		reading.Wait()
		p.err = p.command.Wait()
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

// lines passes on each line.
func lines(r io.Reader, heard func(line []byte)) {
	for scanner := bufio.NewScanner(r); scanner.Scan(); {
		heard(scanner.Bytes())
	}
}

func (p *process) note(line string) {
	for _, secret := range []string{testkit.Key, "sdk-", "mob-"} {
		if strings.Contains(line, secret) {
			p.t.Errorf("a key is logged: %s", line)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, line)
}

func (p *process) signal(s syscall.Signal) { _ = p.command.Process.Signal(s) } // it may have ended

// kill ends the process at once.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
	_ = p.stdin.Close()
}

// end asks the process to end and waits until it has.
func (p *process) end() {
	p.t.Helper()
	p.goOn()
	_ = p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(limit):
		p.t.Fatal("a process does not end")
	}
	if p.err != nil {
		p.t.Errorf("a process ended with %v:\n%s", p.err, p.said())
	}
}

// stop makes the process stand still. It returns when it does, where the system tells.
func (p *process) stop() {
	p.signal(syscall.SIGSTOP)
	for deadline := time.Now().Add(limit); p.moves() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped.IsZero() {
		p.stopped = time.Now()
	}
}

// moves reports whether a thread of the process is not stopped, as far as Linux tells it.
func (p *process) moves() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.command.Process.Pid))
	return slices.ContainsFunc(threads, func(name string) bool {
		stat, _ := os.ReadFile(name) // number (name) state …
		_, fields, _ := strings.Cut(string(stat), ") ")
		return fields != "" && !strings.HasPrefix(fields, "T") && !strings.HasPrefix(fields, "Z") && !strings.HasPrefix(fields, "X")
	})
}

// goOn lets a stopped process go on.
func (p *process) goOn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = time.Time{}
	p.signal(syscall.SIGCONT)
}

// still returns for how long the process has been stopped.
func (p *process) still() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped.IsZero() {
		return 0
	}
	return time.Since(p.stopped)
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// said returns what the process has logged.
func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// killed reports whether the process was ended by SIGKILL.
func (p *process) killed() bool {
	s, ok := p.command.ProcessState.Sys().(syscall.WaitStatus)
	return ok && s.Signaled() && s.Signal() == syscall.SIGKILL
}
