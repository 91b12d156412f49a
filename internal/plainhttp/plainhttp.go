// Package plainhttp tells which addresses would send a credential in the clear.
package plainhttp

import (
	"net/netip"
	"net/url"
	"strings"
)

// Is reports whether a request to u would travel in the clear, outside this machine.
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
