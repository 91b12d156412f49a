package autoconfigtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/relaystream/autoconfig/autoconfigtest"
	"github.com/relaystream/autoconfig/decode"
)

// listen is the client of these examples. It connects once and prints the names of the events it
// gets, and how the response ended.
func listen(client *http.Client, baseURI, key string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, baseURI+"/relay_auto_config", nil)
	request.Header.Set("Authorization", key)
	request.Header.Set("Accept", "text/event-stream")
	response, err := client.Do(request)
	if err != nil {
		fmt.Println("no connection")
		return
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			fmt.Println("event", name)
		}
	}
	fmt.Println("status", response.StatusCode, "cut:", errors.Is(lines.Err(), io.ErrUnexpectedEOF))
}

func Example() {
	srv := autoconfigtest.NewServer("auto-config-key")
	defer srv.Close()

	srv.Put(decode.PutContent{Environments: map[decode.EnvironmentID]decode.EnvironmentRep{
		"env1": {EnvID: "env1", EnvName: "Production", Version: 1},
	}})

	done := make(chan struct{})
	go func() {
		defer close(done)
		listen(srv.Client(), srv.URL, "auto-config-key")
	}()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := srv.AwaitConnections(ctx, 1); err != nil {
		fmt.Println(err)
	}
	srv.Patch(decode.EnvironmentRep{EnvID: "env1", EnvName: "Live", Version: 2})
	srv.Delete("env1", 3)
	srv.EndConnections()
	<-done
	fmt.Println(len(srv.Content().Environments), "environments left")
	fmt.Println(srv.Requests()[0].Method, srv.Requests()[0].Path)

	// Output:
	// event put
	// event patch
	// event delete
	// status 200 cut: false
	// 0 environments left
	// GET /relay_auto_config
}

func ExampleServer_Next() {
	srv := autoconfigtest.NewServer("auto-config-key")
	defer srv.Close()
	srv.Put(decode.PutContent{})
	srv.Next(
		autoconfigtest.Status(http.StatusServiceUnavailable),
		autoconfigtest.Cut(20),
		autoconfigtest.Chain(autoconfigtest.Cut(1000), autoconfigtest.HugeEvent(1<<20)),
	)
	for range 3 {
		listen(srv.Client(), srv.URL, "auto-config-key")
	}
	listen(srv.Client(), srv.URL, "another-key")

	// Output:
	// status 503 cut: false
	// event put
	// status 200 cut: true
	// event put
	// status 200 cut: true
	// status 401 cut: false
}

func ExampleNewPipeServer() {
	// Within a testing/synctest bubble, the hour passes at once.
	srv := autoconfigtest.NewPipeServer("auto-config-key")
	defer srv.Close()
	srv.Put(decode.PutContent{})
	srv.Next(autoconfigtest.Chain(autoconfigtest.End(20), autoconfigtest.Drip(time.Hour/1e9)))
	listen(srv.Client(), srv.URL, "auto-config-key")

	// Output:
	// event put
	// status 200 cut: false
}

func ExampleServer_Restart() {
	srv := autoconfigtest.NewServer("auto-config-key")
	defer srv.Close()
	srv.Put(decode.PutContent{})

	srv.Stop()
	listen(srv.Client(), srv.URL, "auto-config-key")

	srv.Restart()
	srv.Next(autoconfigtest.End(20))
	listen(srv.Client(), srv.URL, "auto-config-key")

	// Output:
	// no connection
	// event put
	// status 200 cut: false
}

func ExampleNewProxy() {
	srv := autoconfigtest.NewServer("auto-config-key")
	defer srv.Close()
	srv.Next(autoconfigtest.Status(http.StatusServiceUnavailable))

	proxy := autoconfigtest.NewProxy(srv)
	defer proxy.Close()
	proxy.Next(
		autoconfigtest.Link{Break: autoconfigtest.BreakCut, At: 5}, // after "HTTP/"
		autoconfigtest.Link{Rate: 1 << 20},
	)
	listen(proxy.Client(), proxy.URL, "auto-config-key")
	srv.Put(decode.PutContent{})
	srv.Next(autoconfigtest.End(20))
	listen(proxy.Client(), proxy.URL, "auto-config-key")

	// Output:
	// no connection
	// event put
	// status 200 cut: false
}

func ExampleParseTranscript() {
	transcript, err := autoconfigtest.ParseTranscript(strings.NewReader(`
# A client must come back when the server has ended its response, and after an error.
> put {"path":"/","data":{"environments":{}}}
! end
= synced
! status 503
> patch {"path":"/environments/env1","data":{"envID":"env1","version":1}}
! end
= added env1
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := autoconfigtest.NewServer("auto-config-key")
	defer srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	steps := transcript.Replay(ctx, srv)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 3 {
			listen(srv.Client(), srv.URL, "auto-config-key")
		}
	}()
	for want, err := range steps {
		if err != nil {
			fmt.Println(err)
			break
		}
		_ = want // A real test waits here until its client has seen what is expected.
	}
	<-done

	// Output:
	// event put
	// status 200 cut: false
	// status 503 cut: false
	// event patch
	// status 200 cut: false
}
