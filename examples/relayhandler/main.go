// Relayhandler shows how a Relay uses the library in the place of its own StreamManager: adapter.go and
// loggers.go convert between the types of both, and everything else stays as it is. It connects to a real
// service and runs until it is interrupted:
//
//	AUTO_CONFIG_KEY=… go run ./examples/relayhandler [-uri https://stream.launchdarkly.com]
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/examples/relayhandler/internal/config"
)

var (
	errNoKey      = errors.New("relayhandler: no key: set AUTO_CONFIG_KEY or -key-file")
	errInvalidURI = errors.New("relayhandler: invalid -uri")
)

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
	streamURI, err := url.Parse(uri)
	if err != nil {
		return errInvalidURI // without the URI, which may contain a password
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	// the adapter's, not autoconfig.NewStreamManager
	manager := NewStreamManager(key, streamURI, make(set), nil, time.Second, 2, ldlog.NewDefaultLoggers())
	defer manager.Close()
	ready := manager.Start()
	for {
		select {
		case err := <-ready:
			if err != nil {
				return err
			}
			log.Print("connected")
		case <-manager.Done():
			return manager.Err() // it has failed for good
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

func readKey(file string) (config.AutoConfigKey, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		return config.AutoConfigKey(strings.TrimRight(string(data), "\r\n")), err
	}
	if key, ok := os.LookupEnv("AUTO_CONFIG_KEY"); ok {
		return config.AutoConfigKey(key), nil
	}
	return "", errNoKey
}
