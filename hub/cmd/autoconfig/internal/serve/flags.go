package serve

import (
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
)

// DefaultListen is the default of the flag -listen: the port is that of Relay.
const DefaultListen = "127.0.0.1:8030"

// tokenVariable is the environment variable with the admin token.
const tokenVariable = "AUTOCONFIG_ADMIN_TOKEN"

// natsSecretVariable is the environment variable with the secret that seals the bucket in NATS.
const natsSecretVariable = "AUTOCONFIG_NATS_SECRET"

const about = `serves the configuration on to Relays and others, shows it on a page, and answers probes.

Relays get the stream from the hub when its address is their stream URI; they send the same auto-configuration key.
The configuration comes from the service, from a file (-file), or through NATS (-nats), where of all hubs one is
connected to the service, or reads the file, and passes on what it says.

  /          the page, which shows environments, changes, keys that will expire, the connection, and readers
  /metrics   metrics for Prometheus
  /readyz    whether there is a configuration to serve
  /healthz   whether the process is worth keeping

The page and the metrics are for everybody on a loopback address, and elsewhere for nobody unless there is an admin token
or they have an address of their own (-admin-listen). The token, of at least 16 characters, is in the environment variable
AUTOCONFIG_ADMIN_TOKEN or in a file; people enter it in a form, and Prometheus sends it as a bearer token.

With -demo there is no need of a key or a service: a made-up one is built in, with readers, and its configuration changes
all the time. The log then has only errors, unless -log-level says otherwise.

SIGTERM ends the readers' streams one after the other, within 20 s; a second one ends the process at once.
`

type flags struct {
	*cli.Flags
	service cli.Service
	log     cli.Log

	listen, adminListen, adminTokenFile string
	tlsCert, tlsKey                     string
	cache, file                         string
	nats, natsCreds, natsBucket         string
	natsSecretFile                      string
	demo                                bool
}

func newFlags() *flags {
	f := &flags{Flags: cli.NewFlags("hub", about)}
	f.service.Register(f.Flags)
	f.StringVar(&f.listen, "listen", DefaultListen, "`ADDRESS` to listen on; without a host, such as :8030, on all addresses")
	f.StringVar(&f.adminListen, "admin-listen", "", "`ADDRESS` for the page and the metrics, which then are nowhere else")
	f.StringVar(&f.adminTokenFile, "admin-token-file", "", "`FILE` with the admin token; takes precedence over "+tokenVariable)
	f.StringVar(&f.tlsCert, "tls-cert", "", "`FILE` with the certificate chain in PEM; read again when it changes")
	f.StringVar(&f.tlsKey, "tls-key", "", "`FILE` with the private key of the certificate in PEM; read again when it changes")
	f.StringVar(&f.cache, "cache", "", "`FILE` that keeps the configuration over restarts, encrypted")
	f.StringVar(&f.file, "file", "", "`FILE` with the configuration as JSON, in the place of the service; read again when it changes")
	f.StringVar(&f.nats, "nats", "", "`URL`s of NATS servers, separated by commas, through which hubs share one connection to the service;\nwith a password in it, give it in the environment variable")
	f.StringVar(&f.natsCreds, "nats-creds", "", "`FILE` with the NATS credentials")
	f.StringVar(&f.natsBucket, "nats-bucket", fleet.DefaultBucket, "`NAME` of the key-value bucket in NATS; each auto-configuration key needs its own")
	f.StringVar(&f.natsSecretFile, "nats-secret-file", "", "`FILE` with the secret that seals the bucket; takes precedence over "+natsSecretVariable+";\nwithout either the auto-configuration key does, and the bucket has to be deleted when that is rotated")
	f.BoolVar(&f.demo, "demo", false, "serve the configuration of a made-up service, which changes all the time")
	f.log.Register(f.Flags, "info")
	return f
}

// Flags returns the flags of the subcommand.
func Flags() *cli.Flags { return newFlags().Flags }

// problem says which flags contradict each other, if any do.
func (f *flags) problem() string {
	switch {
	case (f.tlsCert == "") != (f.tlsKey == ""):
		return "-tls-cert and -tls-key are given together or not at all"
	case f.demo && (f.file != "" || f.nats != "" || f.cache != ""):
		return "-demo excludes -file, -nats and -cache"
	default:
		return ""
	}
}
