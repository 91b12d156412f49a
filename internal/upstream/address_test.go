package upstream_test

import (
	"strings"
	"testing"

	"github.com/relaystream/autoconfig/internal/upstream"
)

func TestAddress(t *testing.T) {
	for _, test := range []struct {
		base    string
		version int
		want    string // empty if base is not allowed
	}{
		{"https://h", 1, "https://h/relay_auto_config"},
		{"https://h/", 1, "https://h/relay_auto_config"},
		{"https://h/a//b/", 1, "https://h/a//b/relay_auto_config"}, // nothing else is rewritten
		{"https://h/a//", 1, "https://h/a//relay_auto_config"},
		{"https://h/a/../b", 1, "https://h/a/../b/relay_auto_config"},
		{"https://h/a%2Fb/", 1, "https://h/a%2Fb/relay_auto_config"},
		{"https://h/a%2F", 1, "https://h/a%2F/relay_auto_config"}, // an escaped slash is not a trailing one
		{"https://h/?x=%20y", 1, "https://h/relay_auto_config?x=%20y"},
		{"https://h", 2, "https://h/relay_auto_config?rpacProtocolVersion=2"},
		{"http://h:8030/a?x=1#f", 2, "http://h:8030/a/relay_auto_config?x=1&rpacProtocolVersion=2"},
		{"https://user:pass@h", 1, "https://user:pass@h/relay_auto_config"},
		{"", 1, ""},
		{"h", 1, ""},
		{"https://", 1, ""},
		{"ftp://h", 1, ""},
		{"https://h\n", 1, ""},
	} {
		address, plain, ok := upstream.Address(test.base, test.version)
		switch {
		case ok != (test.want != ""):
			t.Errorf("%q: allowed is %v", test.base, ok)
		case address != test.want:
			t.Errorf("%q version %d: %s, want %s", test.base, test.version, address, test.want)
		case plain != strings.HasPrefix(test.want, "http:"):
			t.Errorf("%q: plain http is %t", test.base, plain)
		}
	}
}
