package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

// DefaultReadLimit is the size in bytes of the largest message that a websocket
// takes unless told otherwise.
const DefaultReadLimit = 1 << 20

// SocketOptions say how a websocket is accepted.
type SocketOptions struct {
	// Subprotocol is chosen if the client offers it; the connection's Subprotocol
	// tells. "" chooses none.
	Subprotocol string
	// Required refuses a client that does not offer it, with 403.
	Required bool
	// ReadLimit in bytes of one message; 0 is DefaultReadLimit.
	ReadLimit int64
	// OnPing is called for a ping before its pong is sent, by the goroutine that
	// reads, after Read has returned all messages that came before: so a reader
	// that has stored them, or stores them here, makes the pong their receipt.
	// Without a true there is no pong. The context ends after five seconds, and
	// a pong that is later than that ends the connection. Nil answers each ping at once.
	OnPing func(ctx context.Context) bool
}

// Socket makes an endpoint of a handler that calls Accept. A request that asks
// for no websocket finds no route, as with the reference.
func Socket(h http.HandlerFunc) Endpoint {
	return Endpoint{serve: func(d *Dialect, w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			d.Fail(w, r, &StatusError{Status: http.StatusNotFound})
			return
		}
		h(w, r)
	}}
}

// Accept makes a websocket of a request. Compression is used if the client offers
// it. After an error the request is answered.
func Accept(w http.ResponseWriter, r *http.Request, o SocketOptions) (*websocket.Conn, error) {
	options := &websocket.AcceptOptions{
		// The token comes in a message, so that a page of another origin has nothing
		// to misuse; the reference checks no origin either.
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionNoContextTakeover,
	}
	if o.Subprotocol != "" {
		if o.Required && !offers(r, o.Subprotocol) {
			w.WriteHeader(http.StatusForbidden)
			return nil, &StatusError{Status: http.StatusForbidden}
		}
		options.Subprotocols = []string{o.Subprotocol}
	}
	if o.OnPing != nil {
		options.OnPingReceived = func(ctx context.Context, _ []byte) bool { return o.OnPing(ctx) }
	}
	conn, err := websocket.Accept(w, r, options)
	if err != nil {
		return nil, err
	}
	limit := o.ReadLimit
	if limit == 0 {
		limit = DefaultReadLimit
	}
	conn.SetReadLimit(limit)
	return conn, nil
}

func offers(r *http.Request, subprotocol string) bool {
	for _, value := range r.Header.Values("Sec-WebSocket-Protocol") {
		if slices.Contains(strings.Split(strings.ReplaceAll(value, " ", ""), ","), subprotocol) {
			return true
		}
	}
	return false
}
