package admin

import (
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/hub/internal/web"
)

// A gate decides who may look.
type gate struct {
	token  Token
	anyone bool
	hosts  []string
	form   *template.Template
}

// signInForm asks for the token. Its data is whether a wrong one was given.
//
//go:embed sign-in.html
var signInForm string

func newGate(o *Options) *gate {
	form := template.Must(template.New("sign-in").Parse(signInForm))
	return &gate{token: o.Token, anyone: o.Anyone, hosts: slices.Clone(o.Hosts), form: form}
}

// guard lets only those through to next who may look.
func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header())
		switch {
		case g.token != "":
			if !g.admits(r) {
				g.refuse(w, r)
				return
			}
		case onLoopback(r):
			if cameThroughProxy(r) {
				http.Error(w, "requests through a proxy need a token", http.StatusForbidden)
				return
			}
			if !g.knows(r.Host) {
				http.Error(w, "unknown host name", http.StatusMisdirectedRequest)
				return
			}
		case !g.anyone:
			http.Error(w, "off on this address: only a token, a loopback address, or an address of its own gives access", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admits reports whether a request has the token, or the cookie that stands for it.
func (g *gate) admits(r *http.Request) bool {
	if bearer, ok := bearerToken(r); ok {
		return g.token.equals(bearer)
	}
	cookie, err := r.Cookie(cookieName(r))
	return err == nil && g.token.signed(cookie.Value, time.Now())
}

// refuse asks for the token: people with a form, and programs in the way of HTTP.
func (g *gate) refuse(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="autoconfig"`)
	if r.URL.Path == "/" {
		g.ask(w, false)
		return
	}
	http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
}

// maxForm limits the form that carries the token, in bytes.
const maxForm = 4 << 10

// ask answers with the form.
func (g *gate) ask(w http.ResponseWriter, wrong bool) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_ = g.form.Execute(w, wrong) // the client has left if that fails
}

// signIn takes the token from the form and gives the cookie for it.
func (g *gate) signIn(w http.ResponseWriter, r *http.Request) {
	web.SetHeaders(w.Header())
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if !g.token.equals(r.PostFormValue("token")) {
		g.ask(w, true)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: g.token.sign(time.Now()), Path: "/", MaxAge: int(sessionAge / time.Second),
		HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// onLoopback reports whether the request arrived at a loopback address, by the address of its connection.
func onLoopback(r *http.Request) bool {
	address, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return address != nil && address.IP.IsLoopback()
}

// cameThroughProxy reports whether a proxy says that it has passed the request on. That it does not say so means nothing.
func cameThroughProxy(r *http.Request) bool {
	headers := []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}
	return slices.ContainsFunc(headers, func(name string) bool { return len(r.Header.Values(name)) > 0 })
}

// overTLS reports whether the request was encrypted, or a proxy says so. A false claim makes only the cookie useless.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// knows reports whether host, with or without a port, is one under which somebody on this machine looks: no name of a web site that
// the site makes lead here, and no address of the machine in a network, which a proxy has passed on.
func (g *gate) knows(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if address, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return address.IsLoopback() || address.IsUnspecified() // 0.0.0.0, too, leads to this machine
	}
	return slices.ContainsFunc(append([]string{"localhost"}, g.hosts...), func(known string) bool { return strings.EqualFold(known, name) })
}
