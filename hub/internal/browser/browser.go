// Package browser drives a headless Chromium for the tests of the pages.
//
// Where there is none, tests skip and say how to get it. With the environment variable [Variable] set to "required", as
// in .ci/run, they fail instead.
package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Variable names the environment variable that, set to "required", makes tests fail where there is no browser.
const Variable = "AUTOCONFIG_BROWSER"

// limit bounds every wait, generously: the machine may be busy.
const limit = time.Minute

// A Tab is a tab of a browser of its own.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// Open starts a browser that ends with the test. Every name below example leads to 127.0.0.1.
func Open(t testing.TB) *Tab {
	t.Helper()
	path := find(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP *.example 127.0.0.1"))
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(closeAllocator)
	tab := &Tab{t: t}
	ctx, closeTab := chromedp.NewContext(allocator, chromedp.WithListener(tab.listen))
	t.Cleanup(closeTab)
	tab.ctx = ctx
	// The first command starts the browser, which lives as long as the context of that command: it has no limit.
	late := time.AfterFunc(limit, closeAllocator)
	tab.check("start", chromedp.Do(ctx))
	late.Stop()
	tab.Resize(1440, 900)
	return tab
}

// find returns the path of a browser.
func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	message := "there is no Chromium on the PATH: apt-get install chromium, or what your system calls it"
	if os.Getenv(Variable) == "required" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

// listen collects what should not happen: errors in the console, violations of the Content-Security-Policy, dialogs.
func (tab *Tab) listen(event any) {
	var problem string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			problem += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		problem = fmt.Sprintf("console: %s", e.Type)
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceNetwork {
			return // a hub that is gone
		}
		problem = fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text)
	case *page.EventJavascriptDialogOpening:
		problem = "dialog: " + e.Message
	default:
		return
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.problems = append(tab.problems, problem)
}

// Problems returns what should not have happened since the last call.
func (tab *Tab) Problems() []string {
	tab.Eval("0") // what the browser has reported before its answer has arrived
	tab.mu.Lock()
	defer tab.mu.Unlock()
	problems := tab.problems
	tab.problems = nil
	return problems
}

func (tab *Tab) check(what string, err error) {
	tab.t.Helper()
	if err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
}

func (tab *Tab) do(what string, step chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, limit)
	defer cancel()
	tab.check(what, chromedp.Do(ctx, step))
}

// Go opens an address.
func (tab *Tab) Go(url string) { tab.t.Helper(); tab.do("go to "+url, chromedp.Navigate(url)) }

// Click clicks on the first element that a CSS selector finds.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// Type types text into the element that a CSS selector finds.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.do("type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Press presses a key, such as "ArrowRight", wherever the focus is.
func (tab *Tab) Press(key string) {
	tab.t.Helper()
	keys := map[string]string{"ArrowRight": kb.ArrowRight, "ArrowLeft": kb.ArrowLeft, "Home": kb.Home, "End": kb.End, "Enter": kb.Enter}
	tab.do("press "+key, chromedp.KeyEvent(keys[key]))
}

// Resize sets the size of the viewport.
func (tab *Tab) Resize(width, height int64) {
	tab.t.Helper()
	tab.do("resize", chromedp.EmulateViewport(width, height))
}

// Prefer sets the colour scheme that the user prefers: "light" or "dark".
func (tab *Tab) Prefer(scheme string) {
	tab.t.Helper()
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	ctx, cancel := context.WithTimeout(tab.ctx, limit)
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, params)
	tab.check("prefer "+scheme, err)
}

// Eval returns what a JavaScript expression is, as JSON.
func (tab *Tab) Eval(expression string) string {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, limit)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte]("JSON.stringify("+expression+") ?? 'undefined'"))
	tab.check(expression, err)
	var text string
	tab.check(expression, json.Unmarshal(value, &text))
	return text
}

// Await waits until a JavaScript expression is true.
func (tab *Tab) Await(expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, limit)
	defer cancel()
	wait := "new Promise(done => { const look = () => (" + expression + ") ? done(true) : setTimeout(look, 20); look(); })"
	for {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise))
		if err == nil {
			return
		}
		var thrown *chromedp.ExceptionError
		if ctx.Err() != nil || errors.As(err, &thrown) {
			tab.t.Fatalf("waiting for %s: %v\nthe page is:\n%s", expression, err, tab.Eval("document.body.innerText"))
		}
		// The document was replaced meanwhile.
	}
}

// Screenshot returns a picture of the viewport, as PNG.
func (tab *Tab) Screenshot() []byte {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, limit)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	tab.check("screenshot", err)
	return png
}
