// Package verbs formats credentials with verbs for which package fmt doesn't call mask.Format. The
// comment "vet" marks the lines that go vet reports.
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
