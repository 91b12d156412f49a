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

// play makes the server send what happens in a day. Each step waits until the one before has arrived.
func play(ctx context.Context, server *autoconfigtest.Server, client *autoconfig.Client, ready <-chan error, handler *recorder, out *printer) error {
	out.print("server", "two projects with two environments each")
	production := environment("shop-prod", "Production", "Shop")
	content := autoconfig.PutContent{Environments: map[autoconfig.EnvironmentID]autoconfig.EnvironmentRep{}}
	for _, e := range []autoconfig.EnvironmentRep{
		production, environment("shop-test", "Test", "Shop"),
		environment("blog-prod", "Production", "Blog"), environment("blog-test", "Test", "Blog"),
	} {
		content.Environments[e.EnvID] = e
	}
	server.Put(content)
	if err := client.Ready(ctx); err != nil {
		return err
	}
	if err, timeout := await(ctx, ready); err != nil || timeout != nil {
		return errorOr(err, timeout)
	}

	out.print("server", "the SDK key of shop-prod is rotated, the old one expires in a second")
	production.Version = 2
	production.SDKKey.Expiring.Value = production.SDKKey.Value
	production.SDKKey.Expiring.Timestamp = time.Now().Add(time.Second).UnixMilli()
	production.SDKKey.Value = "sdk-shop-prod-0002"
	server.Patch(production)
	if _, err := await(ctx, handler.expired); err != nil {
		return err
	}

	out.print("server", "blog-test is deleted; a late message of an older version follows")
	server.Delete("blog-test", 3)
	server.SendEvent(autoconfig.PatchEvent, `{"path":"/environments/blog-test","data":{"envID":"blog-test","version":2}}`)
	if _, err := await(ctx, handler.deleted); err != nil {
		return err
	}

	out.print("server", "asks everybody to reconnect")
	if err := interrupt(ctx, client, server.Reconnect); err != nil {
		return err
	}
	out.print("server", "sends a malformed event; nothing of the state is lost")
	return interrupt(ctx, client, func() { server.SendEvent(autoconfig.PatchEvent, `{"path":`) })
}

// interrupt calls cause, which ends the connection, and waits until the client has recovered.
func interrupt(ctx context.Context, client *autoconfig.Client, cause func()) error {
	before := client.Stats().Connections
	cause()
	for _, err := range client.Status().All(ctx) {
		stats := client.Stats()
		if err != nil || stats.Connections > before && stats.Status.State == autoconfig.Valid {
			return err
		}
	}
	return ctx.Err()
}

func errorOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
