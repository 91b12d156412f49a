package hub_test

import (
	"errors"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/decode"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// TestWrongOptions are errors that name the option, and nothing has begun then.
func TestWrongOptions(t *testing.T) {
	client := testkit.Open(t, &autoconfig.Options{Source: stream.Never[decode.Message]()})
	keys := []autoconfig.AutoConfigKey{testkit.Key}
	for _, test := range []struct {
		options *hub.Options
		want    string
	}{
		{nil, "Keys"},
		{&hub.Options{Keys: []autoconfig.AutoConfigKey{testkit.Key, ""}}, "Keys"},
		{&hub.Options{Keys: []autoconfig.AutoConfigKey{"two words"}}, "Keys"},
		{&hub.Options{Keys: keys, Heartbeat: -1}, "Heartbeat"},
		{&hub.Options{Keys: keys, WriteTimeout: -1}, "WriteTimeout"},
		{&hub.Options{Keys: keys, Spread: -time.Second}, "Spread"},
		{&hub.Options{Keys: keys, MaxReaders: -1}, "MaxReaders"},
		{&hub.Options{Keys: keys, MaxReadersPerAddress: -1}, "MaxReadersPerAddress"},
		{&hub.Options{Keys: keys, MaxBacklog: -1}, "MaxBacklog"},
	} {
		h, err := hub.New(client, test.options)
		if wrong := new(autoconfig.OptionError); h != nil || !errors.As(err, &wrong) || wrong.Option != test.want {
			t.Errorf("%+v: %v", test.options, err)
		}
	}
	if n := len(client.Stats().Subscribers); n != 0 {
		t.Errorf("%d subscribers", n)
	}
}

// TestProgrammersErrorsPanic at once.
func TestProgrammersErrorsPanic(t *testing.T) {
	for name, call := range map[string]func(){
		"nil client":         func() { _, _ = hub.New(nil, nil) },
		"zero hub: Close":    func() { new(hub.Hub).Close() },
		"zero hub: Shutdown": func() { _ = new(hub.Hub).Shutdown(t.Context()) },
		"zero hub: Readers":  func() { new(hub.Hub).Readers() },
		"zero hub: Stats":    func() { new(hub.Hub).Stats() },
		"zero hub: request":  func() { new(hub.Hub).ServeHTTP(nil, nil) },
	} {
		func() {
			defer func() {
				if _, ok := recover().(string); !ok {
					t.Errorf("%s does not panic with a sentence", name)
				}
			}()
			call()
		}()
	}
}

// TestDefaultMaxBacklog is 64 MiB: it holds a burst of more than 100,000 patches.
func TestDefaultMaxBacklog(t *testing.T) {
	if hub.DefaultMaxBacklog != 64<<20 {
		t.Error(hub.DefaultMaxBacklog)
	}
}
