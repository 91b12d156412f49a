package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/diff"
	"github.com/relaystream/autoconfig/stream/sse"
)

func mobileAt(key decode.MobileKey, at int64) option {
	return func(e *decode.EnvironmentRep) {
		e.MobileKeys = append(e.MobileKeys, decode.ConcurrentKeyRep[decode.MobileKey]{Value: key, Expiry: &at})
	}
}

func sdkAt(key decode.SDKKey, at int64) option {
	return func(e *decode.EnvironmentRep) {
		e.SDKKeys = append(e.SDKKeys, decode.ConcurrentKeyRep[decode.SDKKey]{Value: key, Expiry: &at})
	}
}

func sdk(key decode.SDKKey) option {
	return func(e *decode.EnvironmentRep) {
		e.SDKKeys = append(e.SDKKeys, decode.ConcurrentKeyRep[decode.SDKKey]{Value: key})
	}
}

func lingering(key decode.SDKKey, at int64) option {
	return func(e *decode.EnvironmentRep) {
		e.Lingering = append(e.Lingering, decode.ExpiringKeyRep{Value: key, Timestamp: at})
	}
}

const second = 1000 // ms, after 1970

// willExpire is the line about a key of e1, which expires n seconds after 1970.
func willExpire(version int, key string, n int64) string {
	return fmt.Sprintf("WARN key will expire environment=e1 project=Project name=Env version=%d key=%s at=%v", version, key, time.Unix(n, 0))
}

func TestChanges(t *testing.T) {
	key := func(k diff.Key) *diff.Key { return &k }
	filter := func(version int) *diff.Filter {
		return &diff.Filter{ID: "f1", FilterRep: decode.FilterRep{ProjKey: "proj", FilterKey: "key", Version: version}}
	}
	const e1v1, e1v2 = " environment=e1 project=Project name=Env version=1", " environment=e1 project=Project name=Env version=2"
	plain := environmentOf("e1", 1)
	for _, test := range []struct {
		name   string
		change diff.Change
		want   []string
	}{
		{"added", added(plain), []string{"INFO environment added" + e1v1}},
		{"updated", updated(plain, environmentOf("e1", 2)), []string{"INFO environment updated" + e1v2}},
		{"deleted", diff.Change{Kind: diff.EnvironmentDeleted, Old: plain}, []string{"INFO environment deleted" + e1v1}},
		{"filter added", diff.Change{Kind: diff.FilterAdded, NewFilter: filter(3)}, []string{"INFO filter added filter=f1 project=proj version=3"}},
		{"filter updated", diff.Change{Kind: diff.FilterUpdated, OldFilter: filter(3), NewFilter: filter(4)}, []string{"INFO filter updated filter=f1 project=proj version=4"}},
		{"filter deleted", diff.Change{Kind: diff.FilterDeleted, OldFilter: filter(4)}, []string{"INFO filter deleted filter=f1 project=proj version=4"}},
		{"SDK key expired", diff.Change{Kind: diff.KeyExpired, Old: plain, New: plain, Key: key(diff.Key{SDKKey: "sdk-old-old-old"})},
			[]string{"WARN key expired" + e1v1 + " key=SDK key ***-old"}},
		{"mobile key expired", diff.Change{Kind: diff.KeyExpired, Old: plain, New: plain, Key: key(diff.Key{MobileKey: "mob-old-old-old"})},
			[]string{"WARN key expired" + e1v1 + " key=mobile key ***-old"}},
		{"synced", diff.Change{Kind: diff.Synced}, []string{"INFO synced cached=false"}},
		{"synced from cache", diff.Change{Kind: diff.Synced, Cached: true}, []string{"INFO synced cached=true"}},

		{"added with a key that will expire", added(environmentOf("e1", 1, slot("sdk-old-old-old", 5*second))),
			[]string{"INFO environment added" + e1v1, willExpire(1, "SDK key ***-old", 5)}},
		{"a key without expiry takes no leave", added(environmentOf("e1", 1, slot("sdk-old-old-old", 0))), []string{"INFO environment added" + e1v1}},
		{"added with listed keys", added(environmentOf("e1", 1, sdk("sdk-current-0000"), sdkAt("sdk-a-aaaa", 5*second), mobileAt("mob-b-bbbb", 6*second))),
			[]string{"INFO environment added" + e1v1, willExpire(1, "SDK key ***aaaa", 5), willExpire(1, "mobile key ***bbbb", 6)}},
		{"added with a mobile key alone", added(environmentOf("e1", 1, mobileAt("mob-b-bbbb", 6*second))),
			[]string{"INFO environment added" + e1v1, willExpire(1, "mobile key ***bbbb", 6)}},
		{"added with a key that lingers", added(environmentOf("e1", 1, lingering("sdk-c-cccc", 7*second))),
			[]string{"INFO environment added" + e1v1, willExpire(1, "SDK key ***cccc", 7)}},
		{"an expiry is set", updated(plain, environmentOf("e1", 2, slot("sdk-old-old-old", 5*second))),
			[]string{"INFO environment updated" + e1v2, willExpire(2, "SDK key ***-old", 5)}},
		{"an expiry is moved", updated(environmentOf("e1", 1, slot("sdk-old-old-old", 5*second)), environmentOf("e1", 2, slot("sdk-old-old-old", 6*second))),
			[]string{"INFO environment updated" + e1v2, willExpire(2, "SDK key ***-old", 6)}},
		{"an expiry stays", updated(environmentOf("e1", 1, slot("sdk-old-old-old", 5*second)), environmentOf("e1", 2, slot("sdk-old-old-old", 5*second))),
			[]string{"INFO environment updated" + e1v2}},
		{"a key moves out of the slot", updated(environmentOf("e1", 1, slot("sdk-old-old-old", 5*second)), environmentOf("e1", 2, lingering("sdk-old-old-old", 5*second))),
			[]string{"INFO environment updated" + e1v2}},
		{"an expiry is lifted", updated(environmentOf("e1", 1, slot("sdk-old-old-old", 5*second)), environmentOf("e1", 2, slot("sdk-old-old-old", 0))),
			[]string{"INFO environment updated" + e1v2}},
		{"the current key has no expiry", added(environmentOf("e1", 1, sdkAt("sdk-current-0000", 5*second))), []string{"INFO environment added" + e1v1}},
	} {
		got := written(t, slog.LevelDebug, func(j *Journal) { j.Change(test.change) })
		expect(t, test.name, got, test.want...)
	}
}

// TestComposedChangeIsSplit where it is written.
func TestComposedChangeIsSplit(t *testing.T) {
	before, after := environmentOf("e1", 1, slot("sdk-old-old-old", 5*second)), environmentOf("e1", 1)
	expired := diff.Change{Kind: diff.KeyExpired, Old: before, New: after, Key: &diff.Key{SDKKey: "sdk-old-old-old"}}
	c, _ := diff.Compose(expired, updated(after, environmentOf("e1", 2)))
	got := written(t, slog.LevelWarn, func(j *Journal) { j.Change(c) })
	expect(t, "log", got, "WARN key expired environment=e1 project=Project name=Env version=2 key=SDK key ***-old")
}

func TestManyKeysOfOneEnvironmentAreSummedUp(t *testing.T) {
	const many = 10_000
	got := written(t, slog.LevelWarn, func(j *Journal) { j.Change(added(manyKeys(many, 5))) })
	if len(got) != maxKeyLines+1 {
		t.Fatalf("%d lines", len(got))
	}
	expect(t, "first and last", []string{got[0], got[maxKeyLines-1], got[maxKeyLines]},
		"WARN key will expire environment=e1 project= name= version=0 key=SDK key ***er-0 at="+fmt.Sprint(time.Unix(5, 0)),
		"WARN key will expire environment=e1 project= name= version=0 key=SDK key ***r-31 at="+fmt.Sprint(time.Unix(5, 0)),
		fmt.Sprintf("WARN %d more: key will expire environment=e1 project= name= version=0 more=%[1]d", many-maxKeyLines))
	if got := written(t, slog.LevelWarn, func(j *Journal) { j.Change(added(manyKeys(maxKeyLines, 5))) }); len(got) != maxKeyLines {
		t.Errorf("%d lines for %d keys", len(got), maxKeyLines)
	}
}

// TestManyExpiredKeysAreSummedUp when one change stands for all of them.
func TestManyExpiredKeysAreSummedUp(t *testing.T) {
	for _, n := range []int{maxKeyLines, maxKeyLines + 2} {
		e := environmentOf("e1", 1)
		var c diff.Change
		for i := range n {
			next := diff.Change{Kind: diff.KeyExpired, Old: manyKeys(n, 5), New: e, Key: &diff.Key{SDKKey: decode.SDKKey(fmt.Sprintf("sdk-key-number-%d", i))}}
			if c.Kind == 0 {
				c = next
			} else {
				c, _ = diff.Compose(c, next)
			}
		}
		got := written(t, slog.LevelDebug, func(j *Journal) { j.Change(c) })
		if n == maxKeyLines {
			if len(got) != n {
				t.Errorf("%d lines for %d keys", len(got), n)
			}
			continue
		}
		if len(got) != maxKeyLines+1 {
			t.Fatalf("%d lines: %q", len(got), got)
		}
		expect(t, "sum", got[maxKeyLines:], "WARN 2 more: key expired environment=e1 project=Project name=Env version=1 more=2")
	}
}

func TestConnection(t *testing.T) {
	failed := errors.New("network failed")
	tooLarge := fmt.Errorf("reading: %w", sse.ErrEventTooLarge)
	malformed := &decode.MalformedError{Event: "put", Err: errors.New("no data")}
	refused := &decode.RefusedError{ID: "e1", Err: decode.ErrAnchor}
	for _, test := range []struct {
		open  bool
		err   error
		delay time.Duration
		want  string
	}{
		{true, decode.ErrReconnect, time.Second, "INFO reconnecting at the server's request error=" + decode.ErrReconnect.Error() + " retry_in=1s"},
		{true, malformed, 2 * time.Second, "ERROR malformed event error=" + malformed.Error() + " retry_in=2s"},
		{true, tooLarge, time.Second, "ERROR event too large error=" + tooLarge.Error() + " retry_in=1s"},
		{true, refused, time.Second, "ERROR environment refused error=" + refused.Error() + " retry_in=1s"},
		{false, &sse.StatusError{Code: 401}, time.Minute, "ERROR auto-configuration key rejected error=sse: status 401 Unauthorized retry_in=1m0s"},
		{false, &sse.StatusError{Code: 503}, 0, "WARN connection failed error=sse: status 503 Service Unavailable retry_in=0s"},
		{false, failed, time.Second, "WARN connection failed error=network failed retry_in=1s"},
		{false, failed, -1, "ERROR connection failed; giving up error=network failed"},
		{true, failed, time.Second, "WARN connection lost error=network failed retry_in=1s"},
		{true, failed, -1, "ERROR connection lost; giving up error=network failed"},
		{false, &sse.StatusError{Code: 403}, -1, "ERROR auto-configuration key rejected; giving up error=sse: status 403 Forbidden"},
	} {
		got := written(t, slog.LevelDebug, func(j *Journal) {
			if test.open {
				j.Opened()
			}
			j.Lost(test.err, test.delay)
		})
		expect(t, test.err.Error(), got, test.want)
	}
}

// TestFailureAfterAConnection is about the attempt that failed, not about the connection before it.
func TestFailureAfterAConnection(t *testing.T) {
	got := written(t, slog.LevelDebug, func(j *Journal) {
		j.Opened()
		j.Lost(errors.New("lost"), 0)
		j.Lost(errors.New("failed"), 0)
	})
	expect(t, "log", got, "WARN connection lost error=lost retry_in=0s", "WARN connection failed error=failed retry_in=0s")
}

func TestAddressIsLoggedWithoutSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"https://user:password@host:1/a%2Fb/relay?token=1#secret": "https://host:1/a%2Fb/relay",
		"https://host/?":                  "https://host/",
		"http://user:pass word@%zz/token": "",
	} {
		got := written(t, slog.LevelDebug, func(j *Journal) { j.Connecting(address) })
		expect(t, address, got, "INFO connecting url="+want)
	}
	expect(t, "no address", written(t, slog.LevelDebug, func(j *Journal) { j.Connecting("") }), "INFO connecting to the source")
}

func TestMessages(t *testing.T) {
	ignored := func(reason error) error { return &decode.IgnoredError{Event: "e", Path: "p", Err: reason} }
	line := func(level string, err error) string { return level + " message ignored error=" + err.Error() }
	unknown, path, kind, id := ignored(decode.ErrUnknownEvent), ignored(decode.ErrPutPath), ignored(decode.ErrUnknownPath), ignored(decode.ErrWrongID)
	filter := ignored(&decode.MalformedError{Event: "put", Err: errors.New("version")})
	refused := &decode.RefusedError{ID: "e2", Err: decode.ErrAnchor}
	whole := &decode.IgnoredError{Event: "put", Path: "/", Err: errors.New("no file")}
	put := &decode.Listing{
		Environments: []decode.EnvironmentEntry{{ID: "e1", Err: id}, {ID: "e2", Err: refused}, {ID: "e3"}},
		Filters:      []decode.FilterEntry{{ID: "f1", Err: filter}, {ID: "f2"}},
	}
	for _, test := range []struct {
		name    string
		message decode.Message
		want    []string
	}{
		{"unknown event", decode.Message{Err: unknown}, []string{line("WARN", unknown)}},
		{"path of a put", decode.Message{Err: path}, []string{line("INFO", path)}},
		{"unknown kind", decode.Message{Err: kind}, []string{line("DEBUG", kind)}},
		{"wrong ID", decode.Message{Err: id}, []string{line("WARN", id)}},
		{"malformed filter", decode.Message{Err: filter}, []string{line("WARN", filter)}},
		{"configuration of a source", decode.Message{Err: whole}, []string{"ERROR configuration can't be used error=" + whole.Error()}},
		{"put", decode.Message{Kind: decode.Put, Put: put}, []string{
			"INFO received configuration environments=3 filters=2",
			line("WARN", id), "ERROR environment refused error=" + refused.Error(), line("WARN", filter),
		}},
		{"put with malformed filters", decode.Message{Kind: decode.Put, Put: &decode.Listing{FiltersErr: filter}}, []string{
			"INFO received configuration environments=0 filters=0", line("WARN", filter),
		}},
		{"patch", decode.Message{Kind: decode.Patch, Environment: decode.EnvironmentEntry{ID: "e1", Err: refused}}, []string{"ERROR environment refused error=" + refused.Error()}},
		{"patch of a filter", decode.Message{Kind: decode.Patch, Filter: decode.FilterEntry{ID: "f1", Err: filter}}, []string{line("WARN", filter)}},
		{"put of nothing", decode.Message{Kind: decode.Put}, nil},
		{"omit", decode.Message{Kind: decode.Omit, Environment: decode.EnvironmentEntry{ID: "e1"}}, nil},
		{"complete", decode.Message{Kind: decode.Complete}, nil},
		{"delete", decode.Message{Kind: decode.Delete, Environment: decode.EnvironmentEntry{ID: "e1"}}, nil},
	} {
		got := written(t, slog.LevelDebug, func(j *Journal) { j.Message(&test.message) })
		expect(t, test.name, got, test.want...)
	}
}

func TestOtherLines(t *testing.T) {
	got := written(t, slog.LevelDebug, func(j *Journal) {
		j.Event("put")
		j.Event(`put data: {"sdkKey":{"value":"sdk-`)
		j.Stale(diff.Subject{Environment: "e1"}, 4)
		j.Stale(diff.Subject{Filter: "f1"}, 5)
		j.Note(slog.LevelWarn, "configuration not saved", slog.Any("error", errors.New("disk full")))
	})
	expect(t, "log", got,
		"DEBUG received event event=put",
		"DEBUG received event event=",
		"DEBUG ignored: version is not newer environment=e1 version=4",
		"DEBUG ignored: version is not newer filter=f1 version=5",
		"WARN configuration not saved error=disk full")
}

// TestNamesAreCutOff: no name that the server chose makes a line of megabytes.
func TestNamesAreCutOff(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{strings.Repeat("x", maxName), strings.Repeat("x", maxName)},
		{strings.Repeat("x", 8<<20), strings.Repeat("x", maxName) + "…"},
		{strings.Repeat("x", maxName-1) + "ö", strings.Repeat("x", maxName-1) + "…"},
	} {
		e := environmentOf(decode.EnvironmentID(test.name), 1, slot("sdk-old-old-old", 5*second))
		e.ProjName, e.EnvName = test.name, test.name
		f := &diff.Filter{ID: decode.FilterID(test.name), FilterRep: decode.FilterRep{ProjKey: test.name, FilterKey: test.name}}
		got := written(t, slog.LevelDebug, func(j *Journal) {
			j.Stale(diff.Subject{Environment: e.EnvID}, 4)
			j.Stale(diff.Subject{Filter: f.ID}, 5)
			j.Change(diff.Change{Kind: diff.FilterAdded, NewFilter: f})
			j.Change(diff.Change{Kind: diff.EnvironmentDeleted, Old: e})
			j.Change(added(e))
			j.Lost(&decode.RefusedError{ID: e.EnvID, Err: decode.ErrAnchor}, 0)
		})
		for i, line := range got {
			got[i] = strings.ReplaceAll(line, test.want, "N")
		}
		refused := (&decode.RefusedError{ID: decode.EnvironmentID(test.name[:128]), Err: decode.ErrAnchor}).Error()
		expect(t, "log", got,
			"DEBUG ignored: version is not newer environment=N version=4",
			"DEBUG ignored: version is not newer filter=N version=5",
			"INFO filter added filter=N project=N version=0",
			"INFO environment deleted environment=N project=N name=N version=1",
			"INFO environment added environment=N project=N name=N version=1",
			"WARN key will expire environment=N project=N name=N version=1 key=SDK key ***-old at="+fmt.Sprint(time.Unix(5, 0)),
			"ERROR environment refused error="+refused+" retry_in=0s")
	}
}

// TestLevels records one of everything for each level.
func TestLevels(t *testing.T) {
	everything := func(j *Journal) {
		j.Event("put")
		j.Connecting("https://host/")
		j.Change(added(environmentOf("e1", 1, slot("sdk-old-old-old", 5*second))))
		j.Message(&decode.Message{Kind: decode.Put, Put: &decode.Listing{FiltersErr: &decode.IgnoredError{Err: decode.ErrWrongID}}})
		j.Stale(diff.Subject{Environment: "e1"}, 1)
		j.Lost(errors.New("failed"), 0)
		j.Lost(errors.New("failed"), -1)
	}
	for level, want := range map[slog.Level][]string{
		slog.LevelDebug: {"received event", "connecting", "environment added", "key will expire", "received configuration", "message ignored",
			"ignored: version is not newer", "connection failed", "connection failed; giving up"},
		slog.LevelInfo: {"connecting", "environment added", "key will expire", "received configuration", "message ignored",
			"connection failed", "connection failed; giving up"},
		slog.LevelWarn:      {"key will expire", "message ignored", "connection failed", "connection failed; giving up"},
		slog.LevelError:     {"connection failed; giving up"},
		slog.LevelError + 1: nil,
	} {
		inBubble(t, func(t *testing.T, j *Journal, b *book) {
			b.minimum.Set(level)
			everything(j)
			synctest.Wait()
			var got []string
			for _, r := range b.take() {
				got = append(got, r.Message)
			}
			expect(t, level.String(), got, want...)
		})
	}
}
