// Package verbs shows credentials with the verbs that mask.Format is not asked for. Where go vet
// reports it, the line says so.
package verbs

import (
	"fmt"

	"github.com/relaystream/autoconfig/decode"
)

type holder struct{ Key decode.SDKKey }

func show(k decode.SDKKey, e decode.EnvironmentRep) {
	fmt.Println(fmt.Errorf("%w", k))  // vet
	fmt.Println(fmt.Errorf("%w", e))  // vet
	fmt.Println(fmt.Errorf("%w", &e)) // vet
	fmt.Printf("%p", e)
	fmt.Printf("%p", k)
	fmt.Printf("%s", []*holder{{k}}) // vet
}
