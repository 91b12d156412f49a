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
	"github.com/relaystream/autoconfig/hub/cmd/autoconfig/internal/demo"
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
	s := &server{flags: f, process: p, log: log, token: token, up: up}
	err = s.run(ctx)
	status := cli.ExitStatus(ctx, err)
	if status != cli.Done {
		s.say(slog.LevelError, "autoconfig hub: %v", err)
	}
	return status
}

// A server is one run of the subcommand.
type server struct {
	flags   *flags
	process *cli.Process
	log     *slog.Logger
	token   admin.Token
	up      *upstream

	client    *autoconfig.Client
	hub       *hub.Hub
	admin     *admin.Admin
	listeners *listeners
}

// run serves until ctx ends, and then shuts down gracefully, or until something fails.
func (s *server) run(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer s.close()
	if err := s.open(background); err != nil {
		return err
	}
	s.greet()

	var running sync.WaitGroup
	defer running.Wait()
	defer s.close() // which ends what is waited for
	publishing, handOver := context.WithCancel(background)
	defer handOver()
	ended := s.start(publishing, &running)

	var failure error
	select {
	case <-ctx.Done():
	case failure = <-ended:
	}
	handOver() // at once: another hub publishes while this one ends its readers
	if !s.up.demo {
		s.shutDown()
	}
	return failure
}

// start starts what runs until ctx ends or everything is closed. The channel gets the errors of what must not end before.
func (s *server) start(ctx context.Context, running *sync.WaitGroup) <-chan error {
	ended := make(chan error, 3)
	running.Go(func() { ended <- s.clientEnd(ctx) })
	running.Go(func() { ended <- s.listeners.serve() })
	if s.up.publish != nil {
		running.Go(func() { ended <- s.up.publish(ctx) })
	}
	public := s.listeners.public.Addr()
	switch {
	case s.up.demo && s.flags.tlsCert == "" && isLoopback(public): // else its readers would refuse to connect
		running.Go(func() { demo.Read(ctx, "http://"+public.String()) })
	case s.flags.service.KeyFile != "" && !s.up.demo:
		r := &rotation{service: s.flags.service, process: s.process, log: s.log, hub: s.hub, current: s.up.key}
		running.Go(func() { r.run(ctx) })
	}
	return ended
}

// open opens everything. What it has opened when it fails, close closes.
func (s *server) open(ctx context.Context) (err error) {
	if s.client, err = autoconfig.Open(ctx, s.up.key, s.up.options); err != nil {
		return err
	}
	if s.hub, err = hub.New(s.client, &hub.Options{Keys: []autoconfig.AutoConfigKey{s.up.key}, Logger: s.log}); err != nil {
		return err
	}
	if s.admin, err = admin.New(s.client, s.hub, &admin.Options{Token: s.token, Anyone: s.flags.adminListen != ""}); err != nil {
		return err
	}
	s.listeners, err = s.listen()
	return err
}

// close closes at once what is open. It may be called again.
func (s *server) close() {
	if s.listeners != nil {
		s.listeners.close()
	}
	if s.admin != nil {
		s.admin.Close()
	}
	if s.hub != nil {
		s.hub.Close()
	}
	if s.client != nil {
		s.client.Close()
	}
}

// clientEnd waits until the client has ended, and returns why.
func (s *server) clientEnd(ctx context.Context) error {
	last, err := s.client.Status().Last(ctx)
	return errors.Join(err, last.Err)
}

// shutDown ends the readers one after the other, then the page, then the rest.
func (s *server) shutDown() {
	s.log.Info("shutting down", "readers", len(s.hub.Readers()), "limit", shutdownLimit)
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	if err := s.hub.Shutdown(ctx); err != nil {
		s.log.Warn("not all readers have been ended in time; the rest are cut off")
	}
	s.admin.Close()
	s.listeners.shutDown(ctx)
}

// greet says where the hub listens, and warns where that gives too much away.
func (s *server) greet() {
	l := s.listeners
	scheme := "http"
	if s.flags.tlsCert != "" {
		scheme = "https"
	}
	s.say(slog.LevelInfo, "listening on %s://%v", scheme, l.public.Addr())
	var adminAddress net.Addr
	if l.admin != nil {
		adminAddress = l.admin.Addr()
		s.say(slog.LevelInfo, "page and metrics on %s://%v", scheme, adminAddress)
	}
	for _, warning := range s.warnings(l.public.Addr(), adminAddress) {
		s.log.Warn(warning)
	}
	if s.up.demo {
		s.say(slog.LevelInfo, "this is a demonstration: Relays, and 'autoconfig watch', see it with the stream URI %s://%v and the key %s", scheme,
			l.public.Addr(), string(s.up.key))
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

// say prints a line on standard error, whatever the level of the log: as text, or as a record of this level if the log is
// JSON.
func (s *server) say(level slog.Level, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if s.flags.log.JSON() {
		slog.New(slog.NewJSONHandler(s.process.Stderr, nil)).Log(context.Background(), level, line)
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
