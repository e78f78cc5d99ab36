package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/coder/websocket"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/wire"
)

// subprotocol is the one that clients offer who authenticate by a message.
const subprotocol = "prefect"

// socket is a websocket after the handshake of the Prefect dialect.
type socket struct {
	*websocket.Conn
	// ctx ends with the request or the server.
	ctx context.Context //nolint:containedctx // a socket lives as long as its request's context
	// cancel ends ctx, and returns after the close frame that a stopping server sends.
	cancel func()
}

// accept makes a websocket and authenticates it: a client that offers the
// subprotocol sends {"type": "auth", "token": …} first and is told of success.
// It returns nil when the client was turned away.
func (a *API) accept(w http.ResponseWriter, r *http.Request, o api.SocketOptions) *socket {
	o.Subprotocol = subprotocol
	o.Required = o.Required || a.Auth.Secret != ""
	conn, err := api.Accept(w, r, o)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	watched := make(chan struct{})
	s := &socket{Conn: conn, ctx: ctx, cancel: func() {
		cancel()
		<-watched
	}}
	go func() {
		defer close(watched)
		select {
		case <-a.Done:
			// The code of the reference: at 1001 its subscribers would end, at this one they connect again.
			s.refuse(websocket.StatusServiceRestart, "the server is stopping")
			cancel()
		case <-ctx.Done():
		}
	}()
	if conn.Subprotocol() == subprotocol && !a.authenticate(s) {
		s.cancel()
		return nil
	}
	return s
}

func (a *API) authenticate(s *socket) bool {
	var auth struct {
		Type  string  `json:"type"`
		Token *string `json:"token"`
	}
	if err := s.receive(&auth); err != nil || auth.Type != "auth" {
		return s.refuse(websocket.StatusPolicyViolation, "Expected 'auth' message")
	}
	if a.Auth.Secret != "" {
		if auth.Token == nil || *auth.Token == "" {
			return s.refuse(websocket.StatusPolicyViolation, "Auth required but no token provided")
		}
		if !a.Auth.Allows(*auth.Token) {
			return s.refuse(websocket.StatusPolicyViolation, "Invalid token")
		}
	}
	return s.send(map[string]string{"type": "auth_success"}) == nil
}

// refuse closes the socket and reports false.
func (s *socket) refuse(code websocket.StatusCode, reason string) bool {
	if len(reason) > 120 { // a close frame holds 125 bytes
		reason = reason[:120]
	}
	_ = s.Close(code, reason) // the peer may have gone already
	return false
}

// receive reads one message.
func (s *socket) receive(into any) error {
	_, data, err := s.Read(s.ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// send writes one message.
func (s *socket) send(v any) error {
	data, err := wire.Marshal(v)
	if err != nil {
		return err
	}
	return s.Write(s.ctx, websocket.MessageText, data)
}

// filterMessage is the message by which a subscriber says what it wants.
type filterMessage struct {
	Type     string          `json:"type"`
	Filter   json.RawMessage `json:"filter"`
	Backfill *bool           `json:"backfill"`
}

// receiveFilter reads that message into filter and closes the socket when it is none.
func (s *socket) receiveFilter(filter any) (filterMessage, bool) {
	var m filterMessage
	if err := s.receive(&m); err != nil || m.Type != "filter" {
		return m, s.refuse(websocket.StatusProtocolError, "Expected 'filter' message")
	}
	if err := wire.Decode(m.Filter, filter); err != nil {
		return m, s.refuse(websocket.StatusProtocolError, "Invalid filter: "+err.Error())
	}
	return m, true
}
