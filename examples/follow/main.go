// Follow prints every change of a configuration until it is interrupted:
//
//	AUTO_CONFIG_KEY=… go run ./examples/follow
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/relaystream/autoconfig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := follow(ctx, autoconfig.AutoConfigKey(os.Getenv("AUTO_CONFIG_KEY")), nil)
	if err != nil && ctx.Err() == nil { // a signal is no failure
		log.Fatal(err)
	}
}

func follow(ctx context.Context, key autoconfig.AutoConfigKey, options *autoconfig.Options) error {
	client, err := autoconfig.Open(ctx, key, options)
	if err != nil {
		return err
	}
	defer client.Close()
	for change, err := range client.Changes().All(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(change) // environment added: 5f…a1 (Web Shop Production) version 7
	}
	return nil
}
