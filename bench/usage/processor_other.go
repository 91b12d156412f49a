//go:build !unix

package usage

import "time"

func processor() time.Duration { return 0 }
