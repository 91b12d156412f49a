//go:build unix

package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/fleet"
	"github.com/relaystream/autoconfig/internal/testkit"
	"github.com/relaystream/autoconfig/stream"
)

// play plays a role until standard input ends, and returns the exit status.
func play(role string) int {
	ctx, end := context.WithCancelCause(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end(errEnd)
	}()
	cast := []byte(os.Getenv(castVariable))
	var err error
	switch role {
	case "broker":
		err = playBroker(ctx, cast)
	case "publisher":
		err = playPublisher(ctx, cast)
	default:
		err = errors.New("no such role")
	}
	if err != nil && !errors.Is(err, errEnd) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

var errEnd = errors.New("standard input has ended")

// A brokerCast is what a NATS server is told.
type brokerCast struct {
	Name, Store string
	Port        int
	ClusterPort int   // 0 for a server alone
	Routes      []int // the ports of the cluster
}

// playBroker is a NATS server. It prints a line when it is ready.
func playBroker(ctx context.Context, text []byte) error {
	var cast brokerCast
	if err := json.Unmarshal(text, &cast); err != nil {
		return err
	}
	const host = "127.0.0.1"
	o := &server.Options{
		ServerName: cast.Name, Host: host, Port: cast.Port, JetStream: true, StoreDir: cast.Store, NoSigs: true, NoLog: true,
	}
	if cast.ClusterPort != 0 {
		o.Cluster = server.ClusterOpts{Name: "faults", Host: host, Port: cast.ClusterPort, NoAdvertise: true}
		for _, port := range cast.Routes {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: net.JoinHostPort(host, strconv.Itoa(port))})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(limit) {
		return errors.New("the server is not ready")
	}
	fmt.Println("ready")
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// A publisherCast is what a publisher is told.
type publisherCast struct {
	NATS, Service string
	Lease         time.Duration
	Replicas      int
}

// playPublisher is a publisher. It prints each status.
func playPublisher(ctx context.Context, text []byte) error {
	var cast publisherCast
	if err := json.Unmarshal(text, &cast); err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	js, err := connect(cast.NATS)
	if err != nil {
		return err
	}
	defer js.Conn().Close()
	source := autoconfig.Observe(testkit.Key, &autoconfig.Options{
		BaseURI: cast.Service, InitialRetryDelay: 20 * time.Millisecond, Logger: logger,
	})
	status := stream.NewBehavior(fleet.Status{})
	published := make(chan error, 1)
	go func() {
		defer status.Close(nil)
		published <- fleet.Publish(ctx, js, testkit.Key, source, &fleet.Options{
			Lease: cast.Lease, Replicas: cast.Replicas, Heartbeat: heartbeat, Status: status, Logger: logger,
		})
	}()
	out := json.NewEncoder(os.Stdout)
	_ = status.Observe(stream.Block[fleet.Status](64))(context.Background(), func(s fleet.Status) bool {
		s.Err = nil
		return out.Encode(s) == nil
	})
	return <-published
}

// heartbeat is that of publishers and members.
const heartbeat = 400 * time.Millisecond

// connect returns a JetStream context with a connection that is made again whenever it is lost.
func connect(url string) (jetstream.JetStream, error) {
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.IgnoreDiscoveredServers(),
		nats.ReconnectWait(50*time.Millisecond), nats.ReconnectJitter(50*time.Millisecond, 0),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		return nil, err
	}
	return jetstream.New(nc)
}
