package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
	"github.com/relaystream/autoconfig/internal/journal"
)

var (
	errNATSURL   = errors.New("-nats is not a list of NATS URLs, such as nats://nats:4222")
	errNATSCreds = errors.New("-nats-creds names a file that cannot be used")
)

// join makes the upstream a member of a fleet: what it was before is published while this process holds the lease, and
// the configuration comes from the bucket. An error does not repeat the URL, which may hold a password.
func (u *upstream) join(f *flags, p *cli.Process, log *slog.Logger) error {
	secret, err := p.Secret(natsSecretVariable, f.natsSecretFile)
	if err != nil {
		return err
	}
	connection, err := connect(f, log)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	connection.SetClosedHandler(func(*nats.Conn) { close(ended) })
	u.closers = append(u.closers, func() {
		connection.Close()
		<-ended
	})
	js, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	key, options := u.key, &fleet.Options{Bucket: f.natsBucket, Secret: autoconfig.AutoConfigKey(secret), Logger: log}
	own := *u.options
	own.Logger = journal.Warnings(log) // the client logs the changes once they are back from the bucket
	u.publish = func(ctx context.Context) error {
		return fleet.Publish(ctx, js, key, autoconfig.Observe(key, &own), options)
	}
	u.options = &autoconfig.Options{Source: fleet.Source(js, key, options), Logger: log}
	return nil
}

// connect connects to NATS, now or as soon as there is a server, and again whenever the connection is lost.
func connect(f *flags, log *slog.Logger) (*nats.Conn, error) {
	for server := range strings.SplitSeq(f.nats, ",") {
		if u, err := url.Parse(strings.TrimSpace(server)); err != nil || u.Hostname() == "" {
			return nil, errNATSURL
		}
	}
	report := &natsReport{log: log}
	options := []nats.Option{
		nats.Name("autoconfig hub"), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // the server, or the file of the credentials, may change; readers are served meanwhile
		nats.ConnectHandler(func(*nats.Conn) { report.connected("connected to NATS") }),
		nats.ReconnectHandler(func(*nats.Conn) { report.connected("connected to NATS again") }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("connection to NATS lost")
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { report.failed(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if isRejection(err) { // package fleet reports what else matters
				report.failed(err)
			}
		}),
	}
	if f.natsCreds != "" {
		options = append(options, nats.UserCredentials(f.natsCreds))
	}
	connection, err := nats.Connect(f.nats, options...)
	switch {
	case err != nil && f.natsCreds != "":
		return nil, errNATSCreds
	case err != nil:
		return nil, errNATSURL
	}
	return connection, nil
}

// A natsReport logs that NATS is out of reach: once for each outage, because there is an attempt every two seconds. The NATS
// connection calls it on one goroutine.
type natsReport struct {
	log  *slog.Logger
	said string // why there is no connection
}

func (r *natsReport) connected(message string) {
	r.said = ""
	r.log.Info(message)
}

// failed takes the error of an attempt to connect. The log does not repeat it: it may have text of the server.
func (r *natsReport) failed(err error) {
	why := "NATS cannot be reached; trying again"
	if isRejection(err) {
		why = "NATS rejects the credentials; trying again"
	}
	if why != r.said {
		r.said = why
		r.log.Warn(why)
	}
}

// isRejection reports whether a server has refused the credentials.
func isRejection(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) ||
		errors.Is(err, nats.ErrAccountAuthExpired)
}
