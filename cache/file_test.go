package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/internal/snapshot"
)

// A testFile is a File whose methods fail the test.
type testFile struct {
	*File
	t testing.TB
}

func newTestFile(t testing.TB) testFile {
	return testFile{&File{Path: filepath.Join(t.TempDir(), "config.cache")}, t}
}

func (f testFile) save(data string) {
	f.t.Helper()
	if err := f.Save(f.t.Context(), []byte(data)); err != nil {
		f.t.Fatal(err)
	}
}

func (f testFile) load(want string) {
	f.t.Helper()
	data, err := f.Load(f.t.Context())
	if err != nil || string(data) != want {
		f.t.Errorf("loaded %q, %v; want %q", data, err, want)
	}
}

// holds compares the names in the file's directory.
func (f testFile) holds(want ...string) {
	f.t.Helper()
	if got := names(f.t, filepath.Dir(f.Path)); got != strings.Join(want, " ") {
		f.t.Errorf("the directory holds %s, want %s", got, want)
	}
}

func names(t testing.TB, directory string) string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestFileKeepsTheLastSave(t *testing.T) {
	f := newTestFile(t)
	if _, err := f.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	f.save("a longer one")
	f.save("short")
	f.load("short")
	f.save("")
	f.load("")
	info, err := os.Stat(f.Path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Error(info, err)
	}
	f.holds("config.cache")
}

// TestFileOfManyChunks is not cut off where one chunk ends.
func TestFileOfManyChunks(t *testing.T) {
	f := newTestFile(t)
	for _, size := range []int{chunkSize - 1, chunkSize, chunkSize + 1, 2*chunkSize + 7} {
		data := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
		f.save(string(data))
		if got, err := f.Load(t.Context()); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: loaded %d, %v", size, len(got), err)
		}
	}
}

// TestFileSurvivesACrash that comes where it does most harm: the new file is on the disk and has not taken the old
// one's place.
func TestFileSurvivesACrash(t *testing.T) {
	f := newTestFile(t)
	f.save("old")
	leftover, err := writeTemporary(t.Context(), f.Path, []byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	recent := time.Now().Add(-59 * time.Minute)
	if err := os.Chtimes(leftover, recent, recent); err != nil {
		t.Fatal(err)
	}
	f.load("old")
	if _, err := os.Stat(leftover); err != nil {
		t.Error("a file was removed that another process may be writing:", err)
	}
	others := []string{f.Path + ".backup", filepath.Join(filepath.Dir(f.Path), "other.cache"+temporaryInfix+"1")}
	long := time.Now().Add(-leftoverAge - time.Minute)
	for _, path := range others {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range append(others, leftover, f.Path) {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	f.load("old")
	f.holds("config.cache", "config.cache.backup", "other.cache"+temporaryInfix+"1")
}

// TestFileHeedsItsContext: one that has ended before, and one that ends between any two chunks. The old file stays, and
// nothing else.
func TestFileHeedsItsContext(t *testing.T) {
	f := newTestFile(t)
	f.save("old")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errBroken)
	if err := f.Save(ctx, []byte("new")); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if _, err := f.Load(ctx); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if err := f.SetAside(ctx); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	f.load("old")
	f.holds("config.cache")
	data := make([]byte, 3*chunkSize)
	looks := 0
	for ; ; looks++ {
		err := f.Save(&countdown{t.Context(), looks}, data)
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		f.load("old")
		f.holds("config.cache")
	}
	if looks != 6 { // at the beginning, before each chunk, before the sync, before the renaming
		t.Errorf("Save looks at its context %d times", looks)
	}
	if _, err := f.Load(&countdown{t.Context(), 2}); !errors.Is(err, context.Canceled) {
		t.Error("Load:", err)
	}
}

// TestNothingIsWrittenAfterTheContext: not even a file that is removed again.
func TestNothingIsWrittenAfterTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &File{Path: filepath.Join(t.TempDir(), "missing", "file")}
	if err := f.Save(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFileLimit(t *testing.T) {
	f := newTestFile(t)
	f.save("12345678")
	for _, test := range []struct {
		limit int64
		err   error
	}{{0, nil}, {-1, nil}, {math.MaxInt64, nil}, {9, nil}, {8, nil}, {7, ErrTooLarge}, {1, ErrTooLarge}} {
		f.MaxSize = test.limit
		if data, err := f.Load(t.Context()); !errors.Is(err, test.err) || err != nil && data != nil {
			t.Errorf("load with a limit of %d: %v", test.limit, err)
		}
		if err := f.Save(t.Context(), []byte("12345678")); !errors.Is(err, test.err) {
			t.Errorf("save with a limit of %d: %v", test.limit, err)
		}
	}
	if got := (&File{}).maxSize(); got != DefaultMaxSize {
		t.Error(got)
	}
}

// snapshotOf returns the snapshot of the configuration that a put makes.
func snapshotOf(t testing.TB, put string) []byte {
	t.Helper()
	l, err := snapshot.Decode(t.Context(), []byte(put))
	if err != nil {
		t.Fatal(err)
	}
	text, err := snapshot.Encode(t.Context(), changesOf(l))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDefaultMaxSizeIsEnough for any put within the default limits: what a byte of the wire may become in a snapshot is
// measured, and then multiplied. An environment or filter grows by the members that it does not name, and no byte
// beyond that by more than growth.
func TestDefaultMaxSizeIsEnough(t *testing.T) {
	const (
		growth   = 3        // of bytes that are no UTF-8, each of which becomes U+FFFD
		maxEvent = 64 << 20 // bytes
		repeats  = 100
	)
	put := func(environments, filters string) string {
		return `{"path":"/","data":{"environments":{` + environments + `},"filters":{` + filters + `}}}`
	}
	named := func(text string) string { return put(`"a":{"envID":"a","envName":"`+text+`"}`, "") }
	fragments := []string{
		`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\ud83d\ude00`, `\ud83d`, "\u2028", "\u2029", "ü", "€", "😀", "\xed\xa0\x80", "\xf0\x9f", "<", ">", "&",
	}
	for b := range 0x100 {
		if b >= ' ' && b != '"' && b != '\\' {
			fragments = append(fragments, string([]byte{byte(b)}))
		}
		fragments = append(fragments, fmt.Sprintf(`\u%04x`, b), fmt.Sprintf(`\u20%02x`, b), fmt.Sprintf(`\ud8%02x`, b))
	}
	empty := len(snapshotOf(t, named("")))
	for _, fragment := range fragments {
		grown := len(snapshotOf(t, named(strings.Repeat(fragment, repeats)))) - empty
		if grown > growth*repeats*len(fragment) {
			t.Errorf("%q grows from %d bytes to %d", fragment, len(fragment), grown/repeats)
		}
	}
	key := `{"value":"a"},`
	keyed := func(n int) int {
		keys := strings.TrimSuffix(strings.Repeat(key, n), ",")
		return len(snapshotOf(t, put(`"a":{"envID":"a","sdkKey":{"value":"a"},"sdkKeys":[`+keys+`]}`, "")))
	}
	if grown := keyed(repeats+1) - keyed(1); grown > growth*repeats*len(key) {
		t.Errorf("%q grows from %d bytes to %d", key, len(key), grown/repeats)
	}

	none := len(snapshotOf(t, put("", "")))
	surplus := func(item, put string) int { // beyond growth
		return decode.DefaultMaxListed * (len(snapshotOf(t, put)) + len(",") - none - growth*len(item))
	}
	environment, filter := `"a":{"envID":"a"},`, `"f":{},`
	environments := surplus(environment, put(strings.TrimSuffix(environment, ","), ""))
	filters := surplus(filter, put("", strings.TrimSuffix(filter, ",")))
	if most := growth*maxEvent + environments + filters + none + sealFormat.Cost(); most > DefaultMaxSize {
		t.Errorf("a put may need %d MiB, which is more than %d", most>>20, DefaultMaxSize>>20)
	}
}

// TestFileSetsAside keeps what can't be used, but only the last such file.
func TestFileSetsAside(t *testing.T) {
	f := newTestFile(t)
	for _, data := range []string{"first", "second"} {
		f.save(data)
		if err := f.SetAside(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile(f.Path + ".bad"); err != nil || !bytes.Equal(data, []byte("second")) {
		t.Errorf("%q, %v", data, err)
	}
	f.holds("config.cache.bad")
}

// TestFileBehindLinks: what a symbolic link leads to is replaced, and set aside, where it is; the links stay.
func TestFileBehindLinks(t *testing.T) {
	root := t.TempDir()
	link := func(target, path string) {
		if err := os.Symlink(target, filepath.Join(root, path)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	for _, directory := range []string{"conf", "deep/er", "deep/data"} {
		if err := os.MkdirAll(filepath.Join(root, directory), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// The last link leads to a path that begins with a link itself: "shortcut/.." is deep, not conf.
	link("../deep/er", "conf/shortcut")
	link(filepath.Join(root, "conf", "second"), "conf/first")
	link("shortcut/../data/config.cache", "conf/second")
	f := testFile{&File{Path: filepath.Join(root, "conf", "first")}, t}
	data := filepath.Join(root, "deep", "data")
	holds := func(want string) {
		t.Helper()
		f.holds("first", "second", "shortcut")
		if got := names(t, data); got != want {
			t.Errorf("%s holds %s, want %s", data, got, want)
		}
	}
	if _, err := f.Load(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	f.save("one") // to a file that is not there yet
	f.load("one")
	holds("config.cache")
	f.save("two")
	f.load("two")
	holds("config.cache")
	leftover, err := writeTemporary(t.Context(), filepath.Join(data, "config.cache"), nil)
	if err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * leftoverAge)
	if err := os.Chtimes(leftover, long, long); err != nil {
		t.Fatal(err)
	}
	f.load("two")
	holds("config.cache")
	if err := f.SetAside(t.Context()); err != nil {
		t.Error(err)
	}
	holds("config.cache.bad")
}

// TestFileBehindACircle of links is an error, and the links stay.
func TestFileBehindACircle(t *testing.T) {
	f := newTestFile(t)
	other := filepath.Join(filepath.Dir(f.Path), "other")
	if err := errors.Join(os.Symlink(other, f.Path), os.Symlink(f.Path, other)); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	_, err := f.Load(t.Context())
	if err == nil || f.Save(t.Context(), nil) == nil || f.SetAside(t.Context()) == nil {
		t.Error("there is a file where none can be")
	}
	f.holds("config.cache", "other")
}

// TestFileInTheWorkingDirectory: a path that is a name only.
func TestFileInTheWorkingDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	f := testFile{&File{Path: "config.cache"}, t}
	f.save("data")
	f.load("data")
	if got := names(t, "."); got != "config.cache" {
		t.Error(got)
	}
}

// TestFileWithoutAFile: what is no file is an error, and never waited for. Nothing temporary is left behind.
func TestFileWithoutAFile(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "file")
	pipe := filepath.Join(directory, "pipe")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Mkdir(filepath.Join(directory, "directory"), 0o700)); err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{ // whether there is something
		filepath.Join(directory, "directory"): true,
		filepath.Join(file, "below"):          false,
		filepath.Join(directory, "a/b"):       false,
		filepath.Join(directory, "a\x00"):     false,
	}
	if exec.Command("mkfifo", pipe).Run() == nil { // not every system has named pipes
		paths[pipe] = true
	}
	before := names(t, directory)
	for path, exists := range paths {
		f := &File{Path: path}
		_, loading := f.Load(t.Context())
		for _, err := range []error{loading, f.Save(t.Context(), []byte("x")), f.SetAside(t.Context())} {
			if err == nil || errors.Is(err, errors.ErrUnsupported) != exists {
				t.Errorf("%q: %v", path, err)
			}
		}
		if info, err := os.Lstat(path); exists && (err != nil || info.Mode().IsRegular()) {
			t.Errorf("%q was replaced: %v", path, err)
		}
	}
	if after := names(t, directory); after != before {
		t.Errorf("left behind: %s, where there was %s", after, before)
	}
}

// TestFileInAClosedDirectory is about permissions, which bind everybody but root.
func TestFileInAClosedDirectory(t *testing.T) {
	f := newTestFile(t)
	f.save("old")
	directory := filepath.Dir(f.Path)
	if err := os.Chmod(directory, 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(directory, 0o700)
	if _, err := os.ReadDir(directory); err == nil {
		t.Skip("this user may read what nobody may read")
	}
	if _, err := f.Load(t.Context()); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := f.Save(t.Context(), []byte("new")); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// TestNothingIsSavedInPlain: neither the keys nor anything else, in the file, in one that was set aside, or in one that
// a crash has left behind.
func TestNothingIsSavedInPlain(t *testing.T) {
	f := newTestFile(t)
	e := environment("environment-one", 1)
	e.SDKKey.Value, e.MobKey = "sdk-11111111-secret", "mob-22222222-secret"
	e.Lingering = []decode.ExpiringKeyRep{{Value: "sdk-33333333-secret", Timestamp: 5}}
	keep := &keeper{Store: f}
	s := newSource()
	r := make(chan error)
	go func() { r <- New(keep, nil).Save(t.Context(), s.changed(), s.snapshot, s.key) }()
	s.set(state(e))
	s.subject.Close(nil)
	if err := <-r; err != nil {
		t.Fatal(err)
	}
	if got := holds(t, testKey, keep.data); got != "environment-one@1" {
		t.Fatal(got)
	}
	f.load(string(keep.data))
	contains(t, "the file", keep.data, testKey, string(e.SDKKey.Value), string(e.MobKey), string(e.Lingering[0].Value), string(e.EnvID), e.EnvName, "environments", "lingering")
}

// A keeper keeps what is saved.
type keeper struct {
	Store
	data []byte
}

func (k *keeper) Save(ctx context.Context, data []byte) error {
	k.data = data
	return k.Store.Save(ctx, data)
}

func contains(t *testing.T, what string, data []byte, forbidden ...string) {
	t.Helper()
	for _, s := range forbidden {
		if bytes.Contains(data, []byte(s)) {
			t.Errorf("%s contains %q", what, s)
		}
	}
}
