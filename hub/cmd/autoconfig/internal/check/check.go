// Package check is the subcommand that connects once and says what is wrong.
package check

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/internal/plainhttp"
)

// DefaultTimeout is the default of the flag -timeout.
const DefaultTimeout = 15 * time.Second

const about = `connects to the service once, and says what is wrong, or that nothing is.

It asks for the name, connects, through a proxy if the environment names one, checks the certificate, sends the key,
and waits for the complete configuration.
`

const exits = `Exit status:
  0  the service accepted the key and sent a configuration, of which everything can be used
  1  it did not, the key cannot be used, or the check was interrupted
  2  the flags or the environment cannot be used
`

type flags struct {
	*cli.Flags
	service cli.Service
	log     cli.Log
	timeout time.Duration
}

func newFlags() *flags {
	f := &flags{Flags: cli.NewFlags("check", about)}
	f.Exits = exits
	f.service.Register(f.Flags)
	f.DurationVar(&f.timeout, "timeout", DefaultTimeout, "`DURATION` that everything may take, such as 10s or 1m")
	f.log.Register(f.Flags, "off")
	return f
}

// Flags returns the flags of the subcommand.
func Flags() *cli.Flags { return newFlags().Flags }

// Run runs the subcommand, and returns its exit status.
func Run(ctx context.Context, p *cli.Process) int {
	f := newFlags()
	if status, ok := f.Parse(p); !ok {
		return status
	}
	if f.timeout <= 0 {
		return f.Refuse(p, "-timeout must be positive")
	}
	result := f.check(ctx, p)
	_, _ = fmt.Fprint(p.Stdout, result)
	if result.Finding != Healthy {
		return cli.Failure
	}
	return cli.Done
}

func (f *flags) check(ctx context.Context, p *cli.Process) Result {
	options, err := f.service.Options(p)
	if err != nil {
		return Result{Finding: Diagnose(err), Err: err}
	}
	options.Logger = f.log.Logger(p.Stderr)
	return Check(ctx, options, f.timeout)
}

// A Result is what a check has found, and the facts that belong to it.
type Result struct {
	Finding Finding
	// Err is the reason. It is nil if there is none but time.
	Err error
	// Address and Proxy are the host, and the port if it is not the usual one, of the service and of the proxy. Proxy
	// is empty without one.
	Address, Proxy string
	// Code is the status of the response, 0 if there was none but 200.
	Code int
	// Took is how long the check took.
	Took time.Duration
	// Environments, Filters and Skipped count what the configuration lists, and what of it cannot be used.
	Environments, Filters, Skipped int
}

// Check connects once with the options, and waits for a complete configuration until the timeout or ctx ends it.
func Check(ctx context.Context, o *autoconfig.Options, timeout time.Duration) Result {
	start := time.Now()
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	options := *o
	options.ConnectTimeout = timeout
	if options.HTTPClient == nil {
		options.HTTPClient = &http.Client{Transport: newTransport()}
	}
	if u, err := url.Parse(o.BaseURI); err == nil && plainhttp.Is(u) && !o.AllowPlainHTTP {
		return Result{Finding: PlainHTTP}
	}
	client, err := autoconfig.Open(within, "", &options)
	if err != nil {
		return Result{Finding: Diagnose(err), Err: err}
	}
	defer client.Close()
	result := await(within, client)
	if ctx.Err() != nil {
		result.Finding = Interrupted
	}
	result.Address, result.Proxy = route(options)
	result.Took = time.Since(start)
	return result
}

// newTransport is like that of package sse, and tells when a proxy refuses.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:     http.ProxyFromEnvironment,
		Protocols: protocols,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
			if response.StatusCode != http.StatusOK {
				return &proxyError{response.StatusCode}
			}
			return nil
		},
	}
}

// await returns what becomes of the client's first attempt.
func await(ctx context.Context, client *autoconfig.Client) Result {
	for status, err := range client.Status().All(ctx) {
		switch {
		case err != nil: // ctx has ended
		case status.Err != nil:
			return Result{Finding: Diagnose(status.Err), Err: status.Err, Code: status.Code}
		case status.State == autoconfig.Valid:
			return complete(client.Stats())
		}
	}
	if client.Stats().Connections > 0 {
		return Result{Finding: NoPut}
	}
	return Result{Finding: Silent}
}

// complete is the result once there is a complete configuration.
func complete(stats autoconfig.Stats) Result {
	r := Result{Environments: stats.State.Environments, Filters: stats.State.Filters, Skipped: int(stats.State.Skipped)}
	if r.Skipped > 0 {
		r.Finding = Refused
	}
	return r
}

// route returns the addresses of the service and of the proxy to it, without credentials.
func route(o autoconfig.Options) (service, proxy string) {
	base := o.BaseURI
	if base == "" {
		base = autoconfig.DefaultBaseURI
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", ""
	}
	transport, ok := o.HTTPClient.Transport.(*http.Transport)
	if !ok || transport.Proxy == nil {
		return u.Host, ""
	}
	if through, err := transport.Proxy(&http.Request{URL: u}); err == nil && through != nil {
		return u.Host, through.Host
	}
	return u.Host, ""
}
