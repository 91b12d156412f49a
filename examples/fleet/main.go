// Fleet plays the life of a fleet in a few seconds: a service, a NATS server, three publishers and five members, all in
// this process, and what happens to them. It prints what the members see.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

// key is the auto-configuration key.
const key = "auto-config-key-of-the-example"

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() (err error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errors.New("fleet: the example takes too long"))
	defer cancel()
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	nats, err := startBroker(dir)
	if err != nil {
		return err
	}
	defer func() { nats.stop() }()
	service := autoconfigtest.NewServer(key)
	defer service.Close()
	s := &story{out: &printer{start: time.Now()}, service: service, nats: nats}
	defer s.leave()
	return s.tell(ctx)
}

// A printer prints lines with the time since the start. It is safe for concurrent use.
type printer struct {
	mu    sync.Mutex
	start time.Time
}

func (p *printer) print(who, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Printf("%6.3fs  %-11s %s\n", time.Since(p.start).Seconds(), who, fmt.Sprintf(format, args...))
}

// environment returns a version of an environment.
func environment(id, name string, version int) autoconfig.EnvironmentRep {
	e := autoconfig.EnvironmentRep{
		EnvID: autoconfig.EnvironmentID(id), EnvKey: name, EnvName: name, ProjKey: "shop", ProjName: "Shop",
		MobKey: autoconfig.MobileKey("mob-" + id), Version: version,
	}
	e.SDKKey.Value = autoconfig.SDKKey("sdk-" + id)
	return e
}

// await waits until ok. If ctx ends first, it returns the cause.
func await(ctx context.Context, what string, ok func() bool) error {
	for !ok() {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("in vain: %s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}
