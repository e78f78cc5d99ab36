//go:build !linux || 386 || s390x

package api

import (
	"net"
	"time"
)

// silenceOf knows nothing here: an open connection counts as one that speaks.
func silenceOf(*net.TCPConn) time.Duration { return 0 }
