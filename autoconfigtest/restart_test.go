package autoconfigtest_test

import (
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relaystream/autoconfig/autoconfigtest"
)

func TestStopAndRestart(t *testing.T) {
	for name, newServer := range kinds {
		t.Run(name, func(t *testing.T) {
			s := newServer(key)
			defer s.Close()
			s.Put(environments(environment("e1", 1)))
			for range 2 {
				open := connect(t, s.Client(), s.URL)
				newEvents(open.Body).mustNext(t)
				s.Stop()
				s.Stop()
				if n := s.Connections(); n != 0 {
					t.Errorf("%d connections are open after Stop", n)
				}
				if _, err := open.Body.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("an open stream ends with %v", err)
				}
				mustBeRefused(t, s)
				s.Patch(environment("e2", 1))
				s.Restart()
				s.Restart()
			}
			want := `{"path":"/","data":{"environments":{"e1"`
			if got := newEvents(connect(t, s.Client(), s.URL).Body).mustNext(t); got.name != "put" || got.data[:len(want)] != want {
				t.Errorf("after Restart a connection begins with %s %s", got.name, got.data)
			}
			if n := len(s.Content().Environments); n != 2 {
				t.Errorf("%d environments are left", n)
			}
		})
	}
}

func mustBeRefused(t *testing.T, s *autoconfigtest.Server) {
	t.Helper()
	response, err := s.Client().Do(newRequest(t.Context(), t, s.URL))
	if err == nil {
		_ = response.Body.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a request to a stopped server: got %v", err)
	}
}

// Accept outlasts a stop of any length, and Close ends it while the server is stopped.
func TestCloseOfAStoppedServer(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := autoconfigtest.NewPipeServer(key)
			s.Stop()
			time.Sleep(time.Hour)
			if restart {
				s.Restart()
				s.Stop()
			}
			s.Close()
			s.Restart()
			s.Stop()
			mustBeRefused(t, s)
		})
	}
}

// The connection has sent nothing, so the server knows no request of it.
func TestStopClosesIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		conn, err := s.Client().Transport.(*http.Transport).DialContext(t.Context(), "tcp", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		synctest.Wait()
		s.Stop()
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("got %v", err)
		}
	})
}

// A request without an answer fails when the server stops; the faults planned for later ones stay.
func TestStopCutsRequestsWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := autoconfigtest.NewPipeServer(key)
		defer s.Close()
		s.Next(autoconfigtest.Hang(), autoconfigtest.Status(http.StatusTeapot))
		failed := make(chan error, 1)
		go func() {
			response, err := s.Client().Do(newRequest(t.Context(), t, s.URL))
			if err == nil {
				err = response.Body.Close()
			}
			failed <- err
		}()
		synctest.Wait()
		s.Stop()
		synctest.Wait()
		s.Restart()
		if err := <-failed; err == nil {
			t.Error("it was answered")
		}
		if response := connect(t, s.Client(), s.URL); response.StatusCode != http.StatusTeapot {
			t.Errorf("the next fault was not kept: %s", response.Status)
		}
	})
}
