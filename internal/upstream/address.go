package upstream

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/relaystream/autoconfig/internal/plainhttp"
)

const (
	path             = "/relay_auto_config"
	versionParameter = "rpacProtocolVersion"
)

// Address returns the address of the stream below base, an absolute URI of scheme https or http; ok is false if
// it is anything else. A query of base is kept, and a trailing slash of its path removed. plain reports whether a
// request there would leave this machine unencrypted.
func Address(base string, protocolVersion int) (address string, plain, ok bool) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false, false
	}
	u.RawPath = strings.TrimSuffix(u.EscapedPath(), "/") + path
	u.Path, _ = url.PathUnescape(u.RawPath) // what EscapedPath returns can be unescaped
	u.Fragment, u.RawFragment = "", ""
	if protocolVersion > 1 {
		parameter := versionParameter + "=" + strconv.Itoa(protocolVersion)
		if u.RawQuery != "" {
			parameter = u.RawQuery + "&" + parameter
		}
		u.RawQuery = parameter
	}
	return u.String(), plainhttp.Is(u), true
}
