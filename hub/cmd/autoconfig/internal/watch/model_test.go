package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/internal/testkit"
)

// added is the change that adds an environment with this name.
func added(id autoconfig.EnvironmentID, name string) autoconfig.Change {
	e := testkit.Environment(id, 1)
	e.EnvName = name
	return autoconfig.Change{Kind: autoconfig.EnvironmentAdded, New: &e}
}

// update passes messages to a model, as the program does.
func update(t *testing.T, m *model, messages ...tea.Msg) (last tea.Cmd) {
	t.Helper()
	for _, message := range messages {
		_, last = m.Update(message)
	}
	return last
}

// typed is text as the keys that write it.
func typed(text string) (keys []tea.Msg) {
	for _, r := range text {
		keys = append(keys, tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	return keys
}

// screen returns the lines of the view without styles.
func screen(m *model) []string { return strings.Split(ansi.Strip(m.View().Content), "\n") }

func TestViewFitsTheTerminal(t *testing.T) {
	m := newModel("service.example")
	var some changes
	for i := range 100 {
		some = append(some, added(autoconfig.EnvironmentID(fmt.Sprintf("e%d", i)), "名前\x1b[2J"+strings.Repeat("é", i)))
	}
	update(t, m, some, status{State: autoconfig.Interrupted, Err: errors.New("gone\x1b[2J"), NextAttempt: time.Now()})
	for width := 1; width < 200; width += 7 {
		for height := fixedLines + 1; height < 60; height += 5 {
			update(t, m, tea.WindowSizeMsg{Width: width, Height: height})
			lines := screen(m)
			if len(lines) != height {
				t.Fatalf("%d lines at %d×%d", len(lines), width, height)
			}
			for _, line := range lines {
				if ansi.StringWidth(line) > width {
					t.Fatalf("%q is wider than %d", line, width)
				}
			}
		}
	}
	if strings.Contains(m.View().Content, "\x1b[2J") {
		t.Error("a name, or an error, reaches the terminal as a command")
	}
}

// names returns the name in each row of the table that is shown.
func names(m *model) (names []string) {
	for _, line := range screen(m)[3 : 3+m.tableHeight()] {
		if fields := strings.Fields(line); len(fields) > 1 {
			names = append(names, fields[1])
		}
	}
	return names
}

func TestSearch(t *testing.T) {
	m := newModel("")
	update(t, m, changes{added("e1", "Production"), added("e2", "Test"), added("e3", "Preproduction")})
	testkit.Expect(t, "all", names(m), "Preproduction", "Production", "Test")
	update(t, m, typed("/PROD")...)
	testkit.Expect(t, "found", names(m), "Preproduction", "Production")
	update(t, m, changes{added("e4", "Product")})
	testkit.Expect(t, "found and new", names(m), "Preproduction", "Product", "Production")
	update(t, m, append(typed("uctq"), tea.KeyPressMsg{Code: tea.KeyBackspace}, tea.KeyPressMsg{Code: tea.KeyEnter})...)
	testkit.Expect(t, "found with a longer text", names(m), "Preproduction", "Product", "Production")
	update(t, m, tea.KeyPressMsg{Code: tea.KeyEscape})
	testkit.Expect(t, "all again", names(m), "Preproduction", "Product", "Production", "Test")
}

func TestScrolling(t *testing.T) {
	m := newModel("")
	var some changes
	for i := range 50 {
		some = append(some, added(autoconfig.EnvironmentID(fmt.Sprintf("e%02d", i)), fmt.Sprintf("n%02d", i)))
	}
	update(t, m, some)
	for _, test := range []struct {
		key  tea.KeyPressMsg
		want string
	}{
		{tea.KeyPressMsg{Code: tea.KeyUp}, "n00"}, {tea.KeyPressMsg{Code: tea.KeyDown}, "n01"},
		{tea.KeyPressMsg{Code: tea.KeyPgDown}, "n13"}, {tea.KeyPressMsg{Code: tea.KeyEnd}, "n38"},
		{tea.KeyPressMsg{Code: tea.KeyPgUp}, "n26"}, {tea.KeyPressMsg{Code: tea.KeyHome}, "n00"},
	} {
		update(t, m, test.key)
		if got := names(m)[0]; got != test.want {
			t.Errorf("after %v the first row is %s, want %s", test.key, got, test.want)
		}
	}
}

func TestExpiry(t *testing.T) {
	m := newModel("")
	e := testkit.Environment("e1", 1)
	later, soon := m.now.Add(time.Hour).UnixMilli(), m.now.Add(90*time.Second).UnixMilli()
	e.SDKKeys = []autoconfig.ConcurrentKeyRep[autoconfig.SDKKey]{
		{Key: "default", Value: e.SDKKey.Value}, {Key: "later", Value: "sdk-later", Expiry: &later}, {Key: "soon", Value: "sdk-soon", Expiry: &soon},
	}
	update(t, m, changes{{Kind: autoconfig.EnvironmentAdded, New: &e}}, tick(m.now.Add(29*time.Second)))
	if line := screen(m)[3]; !strings.Contains(line, "1m1s") {
		t.Errorf("after 29 s of 90: %s", line)
	}
	update(t, m, changes{{Kind: autoconfig.EnvironmentDeleted, Old: &e}})
	if line := screen(m)[3]; strings.Contains(line, "e1") {
		t.Errorf("after it was deleted: %s", line)
	}
}

func TestFiltersAreCounted(t *testing.T) {
	m := newModel("")
	filter := &diff.Filter{ID: "f1"}
	update(t, m, changes{
		{Kind: autoconfig.FilterAdded, NewFilter: filter}, {Kind: autoconfig.FilterAdded, NewFilter: &diff.Filter{ID: "f2"}},
		{Kind: autoconfig.FilterDeleted, OldFilter: filter},
	})
	if line := screen(m)[0]; !strings.Contains(line, "1 filters") {
		t.Errorf("after two were added and one was deleted: %s", line)
	}
}

func TestLogIsBounded(t *testing.T) {
	m := newModel("")
	for i := range 3 * maxLog {
		update(t, m, changes{added("e1", fmt.Sprintf("n%d", i))})
	}
	if last := m.log[len(m.log)-1]; len(m.log) != maxLog || !strings.Contains(last, fmt.Sprintf("n%d", 3*maxLog-1)) {
		t.Errorf("%d lines, the last is %s", len(m.log), last)
	}
}

// A terminal is the screen and the keyboard of a view.
type terminal struct {
	keys *io.PipeWriter
	in   *io.PipeReader

	mu     sync.Mutex
	output bytes.Buffer
	more   chan struct{}
}

func newTerminal() *terminal {
	in, keys := io.Pipe()
	return &terminal{in: in, keys: keys, more: make(chan struct{}, 1)}
}

func (s *terminal) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.output.Write(b)
	select {
	case s.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

// await waits until the text has been shown.
func (s *terminal) await(t *testing.T, text string) {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		s.mu.Lock()
		shown := ansi.Strip(s.output.String())
		s.mu.Unlock()
		if strings.Contains(shown, text) {
			return
		}
		select {
		case <-s.more:
		case <-timeout:
			t.Fatalf("not shown in a minute: %s; there is %q", text, shown)
		}
	}
}

// showing runs the view on a terminal.
func showing(ctx context.Context, t *testing.T, server *autoconfigtest.Server, key autoconfig.AutoConfigKey) (*terminal, <-chan error) {
	t.Helper()
	s, ended := newTerminal(), make(chan error, 1)
	t.Cleanup(func() { _ = s.keys.Close() })
	o := testkit.To(server)
	o.Logger, o.StopOnRejectedKey = testkit.Censored(t), true
	o.Key = func(context.Context) (autoconfig.AutoConfigKey, error) { return key, nil }
	go func() {
		p := &cli.Process{Stdin: s.in, Stdout: s}
		ended <- show(ctx, p, o, tea.WithWindowSize(100, 24), tea.WithEnvironment([]string{"TERM=xterm"}))
	}()
	return s, ended
}

func TestShowUntilItsUserQuits(t *testing.T) {
	server := autoconfigtest.NewServer(testkit.Key)
	defer server.Close()
	server.Put(testkit.Listing(testkit.Environment("e1", 1)))
	s, ended := showing(t.Context(), t, server, testkit.Key)
	s.await(t, "Env e1")
	server.Patch(testkit.Environment("e2", 1))
	s.await(t, "e2 (Project Env e2)")
	_, _ = s.keys.Write([]byte("q"))
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := server.Connections(); n > 1 {
		t.Errorf("%d connections", n)
	}
}

func TestShowUntilItIsInterrupted(t *testing.T) {
	server := autoconfigtest.NewServer(testkit.Key)
	defer server.Close()
	server.Put(testkit.Listing(testkit.Environment("e1", 1)))
	ctx, cancel := context.WithCancel(t.Context())
	s, ended := showing(ctx, t, server, testkit.Key)
	s.await(t, "Env e1")
	cancel()
	if status := cli.ExitStatus(ctx, <-ended); status != cli.Done {
		t.Errorf("status %d", status)
	}
}

func TestShowUntilTheKeyIsRejected(t *testing.T) {
	server := autoconfigtest.NewServer(testkit.Key)
	defer server.Close()
	_, ended := showing(t.Context(), t, server, "other")
	if err := <-ended; !errors.Is(err, autoconfig.ErrKeyRejected) {
		t.Error(err)
	}
}
