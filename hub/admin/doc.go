// Package admin is what an operator of a hub looks at, as one http.Handler: the live page, probes and metrics, and who
// may see them.
//
//	GET /         the page of package page
//	GET /metrics  metrics, as Prometheus reads them
//	GET /readyz   200 "ok", or 503 and a word: whether there is a configuration to serve
//	GET /healthz  200 "ok", or 503 and a word: whether the client works, or else should be restarted
//
// # Who may look
//
// Probes are answered to anybody, with nothing but their word. For everything else:
//
//   - With [Options.Token], on every address, who has the token. Scrapers send it as "Authorization: Bearer TOKEN". People
//     enter it once, in a form; a cookie that scripts cannot read stands for it afterwards, for 12 hours. The token is never
//     part of a URL.
//   - Without a token, anybody on a loopback address, if the request's Host is localhost, a loopback IP address, 0.0.0.0, [::]
//     or one of [Options.Hosts]. A name that a web site controls is refused with 421, even if it leads to a loopback address.
//   - Without a token, on any other address, nobody, with 403; unless [Options.Anyone] says that the address is for this
//     purpose and restricted by other means. A web site that an operator visits can then read it, too, if the site makes a name
//     of its own lead to the address: a token prevents that.
//
// Which address a request arrived at is told by its connection, never by a header.
//
// # Behind a reverse proxy
//
// A reverse proxy on the same machine connects to a loopback address, and so does a sidecar in the same pod: what it passes on
// looks as if it came from the machine itself, and without a token would be answered to everybody. A request with one of
// the headers that proxies add (Forwarded, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Real-Ip, Via) is therefore
// refused with 403, and one for an address in a network with 421, but a proxy may add none and change the Host. Set a token
// when there is a proxy. The proxy must not buffer /events; for nginx the response says so itself.
//
// # Without TLS
//
// Over plain http the token and the cookie can be read on the way. The cookie is Secure when the request came over TLS, or
// a proxy says that it did.
package admin
