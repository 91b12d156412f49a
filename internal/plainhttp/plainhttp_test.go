package plainhttp

import (
	"net/url"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIs(t *testing.T) {
	for address, want := range map[string]bool{
		"http://localhost/": false, "http://LOCALHOST:8080": false, "http://127.0.0.1": false, "http://127.1.2.3:1": false,
		"http://[::1]/": false, "http://[::ffff:127.0.0.1]:80": false,
		"http://a.example/": true, "http://localhost.example": true, "http://127.0.0.1.example": true, "http://10.0.0.1": true,
		"http://0.0.0.0": true, "http://[::]:80": true, "http://2130706433": true, "HTTP://a.example": true,
		"https://a.example/": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if Is(u) != want {
			t.Errorf("%s is plain http: %t", address, !want)
		}
	}
	if Is(nil) {
		t.Error("nil is plain http")
	}
}
