package main

import (
	"errors"
	"net"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A broker is a NATS server with JetStream, in this process.
type broker struct {
	options server.Options
	server  *server.Server
}

// startBroker starts a server that keeps its data in a directory.
func startBroker(dir string) (*broker, error) {
	b := &broker{options: server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true}}
	return b, b.start()
}

// start starts the server, at the port that it had before.
func (b *broker) start() error {
	options := b.options
	s, err := server.NewServer(&options)
	if err != nil {
		return err
	}
	s.Start()
	b.server = s
	if !s.ReadyForConnections(20 * time.Second) {
		return errors.New("the NATS server does not start")
	}
	b.options.Port = s.Addr().(*net.TCPAddr).Port
	return nil
}

func (b *broker) stop() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// connect returns a JetStream context with a connection of its own, which is made again whenever it is lost.
func (b *broker) connect() (jetstream.JetStream, error) {
	nc, err := nats.Connect(b.server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return jetstream.New(nc)
}
