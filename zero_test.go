package autoconfig_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/relaystream/autoconfig"
)

// TestZeroValues calls every method of the zero value of each type that a function has to make. It must
// work, or panic at once with a sentence.
func TestZeroValues(t *testing.T) {
	for _, zero := range []func() any{
		func() any { return new(autoconfig.Client) },
		func() any { return new(autoconfig.StreamManager) },
		func() any { return new(autoconfig.HandlerSource) },
	} {
		methods := reflect.TypeOf(zero())
		for i := range methods.NumMethod() {
			t.Run(methods.Elem().Name()+"."+methods.Method(i).Name, func(t *testing.T) {
				method := reflect.ValueOf(zero()).Method(i)
				if problem := outcomeOf(func() { method.Call(zeroArguments(method.Type())) }); problem != "" {
					t.Error(problem)
				}
			})
		}
	}
}

// outcomeOf calls f, and returns what is wrong with the way in which it ends.
func outcomeOf(f func()) string {
	panicked := make(chan any, 1)
	go func() {
		defer func() { panicked <- recover() }()
		f()
	}()
	select {
	case value := <-panicked:
		if sentence, ok := value.(string); value != nil && (!ok || !strings.HasPrefix(sentence, "autoconfig: ")) {
			return "it panics with something else than a sentence"
		}
		return ""
	case <-time.After(time.Minute):
		return "it hangs"
	}
}

// A formatState is a fmt.State that writes nowhere.
type formatState struct{}

func (formatState) Write(b []byte) (int, error) { return len(b), nil }
func (formatState) Width() (int, bool)          { return 0, false }
func (formatState) Precision() (int, bool)      { return 0, false }
func (formatState) Flag(int) bool               { return false }

// zeroArguments returns arguments for a method: zero values, and where the type is an interface, a value of it.
func zeroArguments(method reflect.Type) (arguments []reflect.Value) {
	for i := range method.NumIn() {
		argument := reflect.Zero(method.In(i))
		for _, value := range []any{context.Background(), formatState{}} {
			if method.In(i).Kind() == reflect.Interface && reflect.TypeOf(value).Implements(method.In(i)) {
				argument = reflect.ValueOf(value)
			}
		}
		arguments = append(arguments, argument)
	}
	return arguments
}
