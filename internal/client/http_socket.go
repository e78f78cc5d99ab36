package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/leat-dev/leat/internal/core"
)

// maxMessage is the largest message in bytes that we take from a server.
const maxMessage = 32 << 20

// dial opens a websocket of the API: subprotocol prefect, first message auth,
// answer auth_success.
func (c *Client) dial(ctx context.Context, path string) (*websocket.Conn, error) {
	header := c.header.Clone()
	// The handshake lasts no longer than a request; the connection does.
	handshake, cancel := context.WithTimeout(ctx, c.http.Timeout)
	defer cancel()
	conn, res, err := websocket.Dial(handshake, c.base.String()+path, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: c.http.Transport}, HTTPHeader: header, Subprotocols: []string{"prefect"},
	})
	if res != nil && res.Body != nil {
		_ = res.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	conn.SetReadLimit(maxMessage)
	if err := c.greet(handshake, conn); err != nil {
		_ = conn.CloseNow()
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return conn, nil
}

func (c *Client) greet(ctx context.Context, conn *websocket.Conn) error {
	hello := map[string]any{"type": "auth", "token": nil}
	if c.token != "" {
		hello["token"] = c.token
	}
	if err := send(ctx, conn, hello); err != nil {
		return err
	}
	var answer struct {
		Type string `json:"type"`
	}
	if err := receive(ctx, conn, &answer); err != nil {
		return err
	}
	if answer.Type != "auth_success" {
		return fmt.Errorf("the server answers %q to the greeting", answer.Type)
	}
	return nil
}

func send(ctx context.Context, conn *websocket.Conn, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, data)
}

func receive(ctx context.Context, conn *websocket.Conn, v any) error {
	_, data, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// FollowLogs calls each for every line of a flow run that comes in from now on,
// until ctx ends or the connection breaks, which is the error that it returns.
// Prefect: websocket /logs/out.
func (c *Client) FollowLogs(ctx context.Context, run core.ID, since time.Time, each func(Log)) error {
	filter := map[string]any{
		"flow_run_id": map[string]any{"any_": []core.ID{run}},
		"timestamp":   map[string]any{"after_": since, "before_": since.AddDate(1, 0, 0)},
	}
	return follow(ctx, c, "/logs/out", filter, "log", each)
}

// FollowEvents calls each for every event that passes the filter, from those of
// the last minutes on, until ctx ends or the connection breaks, which is the
// error that it returns. Prefect: websocket /events/out.
func (c *Client) FollowEvents(ctx context.Context, filter map[string]any, each func(Event)) error {
	return follow(ctx, c, "/events/out", filter, "event", each)
}

func follow[T any](ctx context.Context, c *Client, path string, filter map[string]any, key string, each func(T)) error {
	conn, err := c.dial(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	if err := send(ctx, conn, map[string]any{"type": "filter", "filter": filter}); err != nil {
		return err
	}
	for {
		var message map[string]json.RawMessage
		if err := receive(ctx, conn, &message); err != nil {
			return err
		}
		raw, ok := message[key]
		if !ok {
			continue
		}
		var item T
		if err := json.Unmarshal(raw, &item); err != nil {
			return fmt.Errorf("decode a message of %s: %w", path, err)
		}
		each(item)
	}
}

// SendEvents sends events and returns when the server has confirmed them. After
// an error they may be sent again: events have ids. Prefect: websocket /events/in,
// whose only confirmation is the pong to a ping that follows the events.
func (c *Client) SendEvents(ctx context.Context, events []Event) error {
	conn, err := c.dial(ctx, "/events/in")
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	for i := range events {
		if err := send(ctx, conn, &events[i]); err != nil {
			return err
		}
	}
	// Pongs are seen only while somebody reads.
	reading := conn.CloseRead(ctx)
	if err := conn.Ping(reading); err != nil {
		return fmt.Errorf("the server did not confirm %d events: %w", len(events), err)
	}
	// The events are confirmed: how the connection ends does not matter.
	_ = conn.Close(websocket.StatusNormalClosure, "")
	return nil
}
