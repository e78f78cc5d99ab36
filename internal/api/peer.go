package api

import (
	"context"
	"net"
	"time"
)

type connKey struct{}

// WithConn remembers the connection of requests; it is for http.Server.ConnContext.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// PeerSilence returns for how long nothing came over the request's connection,
// neither data nor the word of the peer's system that the connection stands,
// which it gives without the help of the peer's process. It is 0 where that
// cannot be known.
func PeerSilence(ctx context.Context) time.Duration {
	c, ok := ctx.Value(connKey{}).(*net.TCPConn)
	if !ok {
		return 0
	}
	return silenceOf(c)
}
