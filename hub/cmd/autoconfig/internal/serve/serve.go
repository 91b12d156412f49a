// Package serve is the subcommand hub: it serves a configuration on, shows it on a page, and answers probes.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/hub"
	"github.com/relaystream/autoconfig/hub/admin"
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/cli"
)

// shutdownLimit bounds a graceful shutdown. It is less than the 30 s that Kubernetes allows.
const shutdownLimit = 20 * time.Second

// Run runs the subcommand, and returns its exit status.
func Run(ctx context.Context, p *cli.Process) int {
	f := newFlags()
	if status, ok := f.Parse(p); !ok {
		return status
	}
	if problem := f.problem(); problem != "" {
		return f.Refuse(p, "%s", problem)
	}
	if f.demo && !f.Given("log-level") {
		f.log.SetLevel("error") // the page shows the rest
	}
	token, err := f.token(p)
	if err != nil {
		return f.Refuse(p, "%v", err)
	}
	log := f.log.Logger(p.Stderr)
	up, err := f.upstream(p, log)
	if err != nil {
		return f.Refuse(p, "%v", err)
	}
	defer up.close()
	s := &server{flags: f, process: p, log: log, token: token}
	err = s.run(ctx, up)
	status := cli.ExitStatus(ctx, err)
	if status != cli.Done {
		_, _ = fmt.Fprintf(p.Stderr, "autoconfig hub: %v\n", err)
	}
	return status
}

// A server is one run of the subcommand.
type server struct {
	flags   *flags
	process *cli.Process
	log     *slog.Logger
	token   admin.Token
}

// run serves until ctx ends, and then shuts down gracefully, or until something fails.
func (s *server) run(ctx context.Context, up *upstream) error {
	var running sync.WaitGroup
	defer running.Wait()
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	client, err := autoconfig.Open(background, up.key, up.options)
	if err != nil {
		return err
	}
	defer client.Close()
	h, err := hub.New(client, &hub.Options{Keys: []autoconfig.AutoConfigKey{up.key}, Logger: s.log})
	if err != nil {
		return err
	}
	defer h.Close()
	a, err := admin.New(client, h, &admin.Options{Token: s.token, Anyone: s.flags.adminListen != ""})
	if err != nil {
		return err
	}
	defer a.Close()
	l, err := s.listen(h, a)
	if err != nil {
		return err
	}
	defer l.close()
	s.greet(l, up)

	ended := make(chan error, 3)
	running.Go(func() { ended <- clientEnd(background, client) })
	running.Go(func() { ended <- l.serve() })
	publishing, handOver := context.WithCancel(background)
	defer handOver()
	if up.publish != nil {
		running.Go(func() { ended <- up.publish(publishing) })
	}
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-ended:
	}
	handOver() // at once: another hub publishes while this one ends its readers
	s.shutDown(h, a, l)
	return failure
}

// clientEnd waits until the client has ended, and returns why.
func clientEnd(ctx context.Context, client *autoconfig.Client) error {
	last, err := client.Status().Last(ctx)
	return errors.Join(err, last.Err)
}

// shutDown ends the readers one after the other, then the page, then the rest.
func (s *server) shutDown(h *hub.Hub, a *admin.Admin, l *listeners) {
	s.log.Info("shutting down", "readers", len(h.Readers()), "limit", shutdownLimit)
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		s.log.Warn("not all readers have been ended in time; the rest are cut off")
	}
	a.Close()
	l.shutDown(ctx)
}

// greet says where the hub listens, and warns where that gives too much away.
func (s *server) greet(l *listeners, up *upstream) {
	scheme := "http"
	if s.flags.tlsCert != "" {
		scheme = "https"
	}
	s.say("listening on %s://%v", scheme, l.public.Addr())
	var adminAddress net.Addr
	if l.admin != nil {
		adminAddress = l.admin.Addr()
		s.say("page and metrics on %s://%v", scheme, adminAddress)
	}
	for _, warning := range s.warnings(l.public.Addr(), adminAddress) {
		s.log.Warn(warning)
	}
	if up.demo {
		s.say("this is a demonstration: Relays, and 'autoconfig watch', see it with the stream URI %s://%v and the key %s",
			scheme, l.public.Addr(), string(up.key))
	}
}

// warnings says what is given away on these addresses, of which admin may be nil.
func (s *server) warnings(public, admin net.Addr) (warnings []string) {
	if s.flags.tlsCert == "" && (!isLoopback(public) || admin != nil && !isLoopback(admin)) {
		warnings = append(warnings, "without TLS, keys and tokens can be read on the way: set -tls-cert and -tls-key, unless a proxy in front encrypts")
	}
	if admin != nil && !isLoopback(admin) && s.token == "" {
		warnings = append(warnings, "without an admin token, everybody who reaches the address of page and metrics can see them")
	}
	return warnings
}

// say prints a line on standard error, whatever the level of the log: as text, or as a record of a log in JSON.
func (s *server) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if s.flags.log.JSON() {
		slog.New(slog.NewJSONHandler(s.process.Stderr, nil)).Info(line)
		return
	}
	_, _ = fmt.Fprintln(s.process.Stderr, line)
}

func isLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// token returns the admin token from its file or from the environment, empty without one.
func (f *flags) token(p *cli.Process) (admin.Token, error) {
	text, err := p.Secret(tokenVariable, f.adminTokenFile)
	if err == nil && text == "" && f.adminTokenFile != "" {
		err = &os.PathError{Op: "read", Path: f.adminTokenFile, Err: errEmpty}
	}
	return admin.Token(text), err
}

var errEmpty = errors.New("the file is empty")
