// Package endpoint knows the address of the auto-configuration stream.
package endpoint

import (
	"net/url"
	"strconv"
	"strings"
)

const (
	path             = "/relay_auto_config"
	versionParameter = "rpacProtocolVersion"
)

// URL returns the address of the stream below base, an absolute URI of scheme https or http; ok is false if
// it is anything else. A query of base is kept, and a trailing slash of its path removed.
func URL(base string, protocolVersion int) (u *url.URL, ok bool) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, false
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
	return u, true
}
