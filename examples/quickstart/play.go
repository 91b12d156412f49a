package main

import (
	"context"
	"time"

	"github.com/relaystream/autoconfig"
	"github.com/relaystream/autoconfig/autoconfigtest"
)

// environment returns the first version of an environment.
func environment(id, name, project string) autoconfig.EnvironmentRep {
	e := autoconfig.EnvironmentRep{
		EnvID:  autoconfig.EnvironmentID(id),
		EnvKey: name, EnvName: name, ProjKey: project, ProjName: project,
		MobKey:  autoconfig.MobileKey("mob-" + id + "-0001"),
		Version: 1,
	}
	e.SDKKey.Value = autoconfig.SDKKey("sdk-" + id + "-0001")
	return e
}

// A day is what the server sends in it, and who hears of it.
type day struct {
	server  *autoconfigtest.Server
	client  *autoconfig.Client
	handler *recorder
	out     *printer
}

// play makes the server send what happens in the day. Each step waits until what it caused has arrived.
func (d *day) play(ctx context.Context) error {
	for _, step := range []func(context.Context) error{d.begin, d.rotate, d.delete, d.reconnect, d.garble} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *day) begin(ctx context.Context) error {
	d.out.print("server", "two projects with two environments each")
	content := autoconfig.PutContent{Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{}}
	for _, e := range []autoconfig.EnvironmentRep{
		environment("shop-prod", "Production", "Shop"), environment("shop-test", "Test", "Shop"),
		environment("blog-prod", "Production", "Blog"), environment("blog-test", "Test", "Blog"),
	} {
		content.Environments[e.EnvID] = e
	}
	d.server.Put(content)
	if err := d.client.Ready(ctx); err != nil {
		return err
	}
	return d.handler.await(ctx, "ReceivedAllEnvironments")
}

func (d *day) rotate(ctx context.Context) error {
	d.out.print("server", "the SDK key of shop-prod is rotated, the old one expires in 3 seconds")
	e := environment("shop-prod", "Production", "Shop")
	e.Version = 2
	e.SDKKey.Expiring.Value = e.SDKKey.Value
	e.SDKKey.Expiring.Timestamp = time.Now().Add(3 * time.Second).UnixMilli()
	e.SDKKey.Value = "sdk-shop-prod-0002"
	d.server.Patch(e)
	return d.handler.await(ctx, "KeyExpired")
}

func (d *day) delete(ctx context.Context) error {
	d.out.print("server", "blog-test is deleted; a late message of an older version follows")
	d.server.Delete("blog-test", 3)
	d.server.SendEvent(autoconfig.PatchEvent, `{"path":"/environments/blog-test","data":{"envID":"blog-test","version":2}}`)
	return d.handler.await(ctx, "DeleteEnvironment")
}

func (d *day) reconnect(ctx context.Context) error {
	d.out.print("server", "asks everybody to reconnect")
	return d.interrupt(ctx, d.server.Reconnect)
}

func (d *day) garble(ctx context.Context) error {
	d.out.print("server", "sends a malformed event; nothing of the state is lost")
	return d.interrupt(ctx, func() { d.server.SendEvent(autoconfig.PatchEvent, `{"path":`) })
}

// interrupt calls cause, which ends the connection, and waits until the client has recovered.
func (d *day) interrupt(ctx context.Context, cause func()) error {
	before := d.client.Stats().Connections
	cause()
	for _, err := range d.client.Status().All(ctx) {
		stats := d.client.Stats()
		if err != nil || stats.Connections > before && stats.Status.State == autoconfig.Valid {
			return err
		}
	}
	return autoconfig.ErrClosed
}
