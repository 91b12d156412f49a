package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/bench/usage"
	natsfleet "github.com/relaystream/autoconfig/fleet"
)

// natsSideCommand is the command of the process with the NATS server and the publisher. Members in the same process
// would keep these from running.
const natsSideCommand = "fleet-nats-server"

// A natsSide is a process that runs natsSideCommand.
type natsSide struct {
	url     string // of the NATS server
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// startNATSSide starts the process. Its publisher connects to the service.
func startNATSSide(ctx context.Context, service string) (*natsSide, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &natsSide{command: exec.CommandContext(ctx, program, natsSideCommand, "-service", service)}
	s.command.Stderr = os.Stderr
	if s.in, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	if err := s.answer(&s.url); err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

func (s *natsSide) answer(v any) error {
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

// usage returns what the process uses.
func (s *natsSide) usage() (u usage.Usage, err error) {
	if _, err := fmt.Fprintln(s.in, "usage"); err != nil {
		return u, err
	}
	return u, s.answer(&u)
}

// end ends the process and waits for that.
func (s *natsSide) end() error {
	return errors.Join(s.in.Close(), s.command.Wait())
}

// runNATSSide is natsSideCommand. It prints the URL of the NATS server, then its usage for each line of standard input,
// and returns when that ends.
func runNATSSide(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench "+natsSideCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	service := flags.String("service", "", "base URI of the service")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fleet-nats")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		return err
	}
	broker.Start()
	defer func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	}()
	if !broker.ReadyForConnections(patience) {
		return errors.New("the NATS server does not start")
	}
	nc, js, err := connectNATS(broker.ClientURL())
	if err != nil {
		return err
	}
	defer nc.Close()
	ctx, cancel := context.WithCancel(ctx)
	var publishing sync.WaitGroup
	defer publishing.Wait()
	defer cancel()
	source := autoconfig.Observe(fleetKey, &autoconfig.Options{BaseURI: *service, Logger: slog.New(slog.DiscardHandler)})
	publishing.Go(func() { _ = natsfleet.Publish(ctx, js, fleetKey, source, nil) })
	out := json.NewEncoder(stdout)
	if err := out.Encode(broker.ClientURL()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := out.Encode(usage.AtRest()); err != nil {
			return err
		}
	}
	return nil
}

func connectNATS(url string) (*nats.Conn, jetstream.JetStream, error) {
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.Timeout(patience))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	return nc, js, err
}
