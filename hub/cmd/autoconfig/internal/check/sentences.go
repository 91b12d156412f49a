package check

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sentences say what a finding means, and what can be done.
var sentences = [...]struct{ what, advice string }{
	Healthy: {"{service} accepted the key and sent a complete configuration in {took}: {content}.", ""},
	NoKey:   {"There is no auto-configuration key.", "Set the environment variable AUTO_CONFIG_KEY, or name a file with -key-file."},
	UnusableKey: {"The auto-configuration key cannot be read, or has characters that a key cannot have.",
		"Check that AUTO_CONFIG_KEY, or the file of -key-file, holds one key and nothing else, and that the file may be read."},
	WrongURI:         {"The stream URI cannot be used.", "It must be like https://stream.launchdarkly.com: absolute, with https or http, without the stream's path."},
	PlainHTTP:        {"The stream URI, or a redirect from there, leads to plain http on another host, which would send the key in the clear.", "Use https, or permit it with -allow-plain-http."},
	UnknownName:      {"The name of {service} does not exist.", "Check the spelling of -stream-uri, and the name server of this machine."},
	LookupFailed:     {"The name of {service} could not be looked up: the name service failed.", "Check the network and the name server of this machine."},
	ConnectionFailed: {"{service} does not take the connection.", "Check the port in -stream-uri, firewalls, and whether this network needs a proxy (HTTPS_PROXY)."},
	ProxyFailed:      {"The proxy {proxy} cannot be reached, or does not connect to {service}.", "Check HTTPS_PROXY and the proxy's credentials in it; NO_PROXY names hosts that need no proxy."},
	UntrustedTLS: {"The certificate of {service} is signed by an authority that this machine does not trust.",
		"If a proxy of yours inspects traffic, or the server has a certificate of your own authority, name that authority's file in SSL_CERT_FILE."},
	WrongNameTLS: {"The certificate of {service} is for another host.", "Check -stream-uri; a proxy or a name server may lead to another host."},
	InvalidTLS:   {"The certificate of {service} is not valid, for example because it has expired.", "Check the clock of this machine, then the server's certificate."},
	NoTLS:        {"{service} does not speak TLS.", "Check the port and the scheme in -stream-uri."},
	RejectedKey: {"{service} rejected the key (status {status}).",
		"Check that the key is an auto-configuration key, not an SDK key, has not been deleted or reset, and belongs to this service."},
	NotFound:   {"{service} has no auto-configuration stream there (status {status}).", "Check the host and the path in -stream-uri; the path of the stream itself is not part of it."},
	SentAway:   {"{service} asked the client not to come back (status {status}).", "A proxy may have answered in the service's place; otherwise ask who runs the service."},
	Overloaded: {"{service} cannot serve the stream now (status {status}).", "Try again later."},
	OtherStatus: {"{service} answered with status {status} instead of a stream.",
		"Check -stream-uri, and whether a proxy answered in the service's place."},
	NotAStream: {"{service} answered with something that is not an event stream, such as a web page.",
		"A proxy, a sign-in page or another program answers in the service's place: check -stream-uri and the proxy."},
	Silent:      {"{service} did not answer in {took}.", "Check firewalls and whether this network needs a proxy (HTTPS_PROXY); -timeout allows more time."},
	NoPut:       {"{service} accepted the key, but sent no complete configuration in {took}.", "A proxy may hold the stream back: switch its buffering off. A large configuration may need a longer -timeout."},
	Malformed:   {"{service} accepted the key, but what it sent is malformed or too large.", "A proxy may change the stream; otherwise tell who runs the service."},
	Refused:     {"{service} accepted the key, but some of what it sent cannot be used.", "With -log-level warn the log names the items. Tell who runs the service."},
	Lost:        {"The connection to {service} ended before the configuration was complete.", "A proxy or a firewall may have cut it; try again, and then look there."},
	Interrupted: {"The check was interrupted.", ""},
	OtherFailure: {"The check of {service} failed.",
		"Check -stream-uri: another program may answer there. Check the proxy, if there is one."},
}

// String returns sentences for people: what was found, the reason if there is more to say, and what can be done.
// They hold no secret.
func (r Result) String() string {
	s := sentences[r.Finding]
	text := strings.NewReplacer("{service}", r.service(), "{proxy}", r.Proxy, "{took}", r.Took.Round(time.Millisecond).String(),
		"{status}", strings.TrimSpace(strconv.Itoa(r.Code)+" "+http.StatusText(r.Code)), "{content}", r.content()).Replace(s.what) + "\n"
	if r.Err != nil && r.Code == 0 && r.Finding != NoKey {
		text += "Reason: " + r.reason() + ".\n"
	}
	if s.advice != "" {
		text += s.advice + "\n"
	}
	return text
}

// reason returns the text of Err. Package sse shows no text of errors that it does not know, such as that of a proxy.
func (r Result) reason() string {
	var refusal *proxyError
	if errors.As(r.Err, &refusal) {
		return refusal.Error()
	}
	return r.Err.Error()
}

func (r Result) service() string {
	switch {
	case r.Address == "":
		return "The service"
	case r.Proxy != "" && r.Finding != ProxyFailed:
		return r.Address + " (through the proxy " + r.Proxy + ")"
	default:
		return r.Address
	}
}

func (r Result) content() string {
	return fmt.Sprintf("%s, %s", count(r.Environments, "environment"), count(r.Filters, "filter"))
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
