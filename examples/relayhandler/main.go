// Relayhandler shows what a program like Relay keeps when autoconfig.NewStreamManager replaces its own
// manager: a MessageHandler that maintains a set of environments. It connects to a real service and
// runs until it is interrupted:
//
//	AUTO_CONFIG_KEY=… go run ./examples/relayhandler [-uri https://stream.launchdarkly.com]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
)

var errNoKey = errors.New("relayhandler: no key: set AUTO_CONFIG_KEY or -key-file")

func main() {
	uri := flag.String("uri", envOr("STREAM_URI", autoconfig.DefaultBaseURI), "base `URI` of the service; the environment variable STREAM_URI sets the default")
	keyFile := flag.String("key-file", "", "`file` with the auto-configuration key; without it the environment variable AUTO_CONFIG_KEY has the key")
	flag.Parse()
	if err := run(*uri, *keyFile); err != nil {
		log.Fatal(err)
	}
}

func run(uri, keyFile string) error {
	key, err := readKey(keyFile)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	manager := autoconfig.NewStreamManager(key, uri, make(environments), nil, time.Second, ldlog.NewDefaultLoggers())
	defer manager.Close()
	ready := manager.Start()
	for {
		select {
		case err := <-ready:
			if err != nil {
				return err
			}
			log.Print("the configuration is complete")
		case <-manager.Done():
			return manager.Err() // it failed for good after it was ready
		case <-ctx.Done():
			return nil
		}
	}
}

func envOr(name, value string) string {
	if v, ok := os.LookupEnv(name); ok {
		return v
	}
	return value
}

func readKey(file string) (autoconfig.AutoConfigKey, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		return autoconfig.AutoConfigKey(strings.TrimRight(string(data), "\r\n")), err
	}
	if key, ok := os.LookupEnv("AUTO_CONFIG_KEY"); ok {
		return autoconfig.AutoConfigKey(key), nil
	}
	return "", errNoKey
}

// environments is the set that a Relay serves. Calls of a handler never overlap, so there is no lock.
type environments map[autoconfig.EnvironmentID]autoconfig.EnvironmentParams

func (e environments) AddEnvironment(p autoconfig.EnvironmentParams) {
	e[p.EnvID] = p
	e.report("added", p.EnvID)
}

func (e environments) UpdateEnvironment(p autoconfig.EnvironmentParams) {
	e[p.EnvID] = p
	e.report("updated", p.EnvID)
}

func (e environments) DeleteEnvironment(id autoconfig.EnvironmentID) {
	delete(e, id)
	e.report("deleted", id)
}

func (e environments) ReceivedAllEnvironments() { fmt.Println("all received:", len(e)) }

func (e environments) KeyExpired(id autoconfig.EnvironmentID, old autoconfig.SDKKey) {
	fmt.Println("key", old, "expired")
	e.report("now without it", id)
}

func (e environments) report(event string, id autoconfig.EnvironmentID) {
	fmt.Printf("%s: %s (%d environments)\n", event, string(id), len(e))
}
