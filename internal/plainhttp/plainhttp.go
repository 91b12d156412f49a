// Package plainhttp recognizes addresses to which a credential would travel unencrypted.
package plainhttp

import (
	"net/netip"
	"net/url"
	"strings"
)

// Is reports whether a request to u would leave this machine unencrypted.
func Is(u *url.URL) bool {
	if u == nil || u.Scheme != "http" {
		return false
	}
	if strings.EqualFold(u.Hostname(), "localhost") {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err != nil || !addr.IsLoopback()
}
