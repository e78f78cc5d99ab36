package api_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/leat-dev/leat/internal/api"
)

// rawClient writes and reads frames by itself, so that a test sees when a pong comes.
type rawClient struct {
	t    *testing.T
	conn net.Conn
	br   *bufio.Reader
}

func dialRaw(t *testing.T, server *httptest.Server) *rawClient {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, "GET /api/events/in HTTP/1.1\r\nHost: leat\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: prefect\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	c := &rawClient{t: t, conn: conn, br: bufio.NewReader(conn)}
	res, err := http.ReadResponse(c.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // an upgrade has none
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Protocol") != "prefect" {
		t.Fatalf("handshake: %s %v", res.Status, res.Header)
	}
	return c
}

// write sends a frame that is masked with zeros.
func (c *rawClient) write(opcode byte, payload string) {
	c.t.Helper()
	frame := append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	if _, err := c.conn.Write(frame); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next frame.
func (c *rawClient) read() (opcode byte, payload string) {
	c.t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.br, head); err != nil {
		c.t.Fatal(err)
	}
	body := make([]byte, head[1]&0x7f)
	if _, err := io.ReadFull(c.br, body); err != nil {
		c.t.Fatal(err)
	}
	return head[0] & 0x0f, string(body)
}

const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// store is what a feed that commits in groups does: it keeps messages until a
// ping asks for their receipt.
type store struct {
	pending, committed []string
	// entered is told of each ping; release lets its commit happen.
	entered chan []string
	release chan bool
	done    chan []string
}

func (s *store) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := api.Accept(w, r, api.SocketOptions{Subprotocol: "prefect", ReadLimit: 100, OnPing: func(ctx context.Context) bool {
		s.entered <- slices.Clone(s.pending)
		select {
		case ok := <-s.release:
			if ok {
				s.committed, s.pending = append(s.committed, s.pending...), nil
			}
			return ok
		case <-ctx.Done():
			return false
		}
	}})
	if err != nil {
		return
	}
	defer func() { s.done <- s.committed }()
	for {
		_, message, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		s.pending = append(s.pending, string(message))
	}
}

func socketServer(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	router := api.NewRouter(testDialect(nil), "/api")
	router.HandleOpen("GET", "/events/in", api.Socket(h))
	observer := api.Observer{Dialect: router.Dialect, Now: func() time.Time { return time.Time{} }}
	server := httptest.NewServer(observer.Wrap(api.CORS(router)))
	t.Cleanup(server.Close)
	return server
}

func TestPongFollowsTheCommitOfAllBeforeItsPing(t *testing.T) {
	t.Parallel()
	s := &store{entered: make(chan []string), release: make(chan bool), done: make(chan []string, 1)}
	c := dialRaw(t, socketServer(t, s.serve))
	c.write(opText, "one")
	c.write(opText, "two")
	c.write(opPing, "first")
	c.write(opText, "three")
	if got := strings.Join(<-s.entered, " "); got != "one two" {
		t.Errorf("before the ping came %q", got)
	}
	// Nothing may come before the commit.
	time.AfterFunc(50*time.Millisecond, func() { _ = c.conn.SetReadDeadline(time.Unix(1, 0)) })
	if b, err := c.br.Peek(1); err == nil {
		t.Fatalf("frame %x came before the commit", b)
	}
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.release <- true
	if op, payload := c.read(); op != opPong || payload != "first" {
		t.Errorf("got frame %d %q, want the pong", op, payload)
	}
	// A commit that fails gives no receipt.
	c.write(opPing, "second")
	if got := strings.Join(<-s.entered, " "); got != "three" {
		t.Errorf("before the second ping came %q", got)
	}
	s.release <- false
	c.write(opPing, "third")
	<-s.entered
	s.release <- true
	if op, payload := c.read(); op != opPong || payload != "third" {
		t.Errorf("got frame %d %q, want the pong of the third ping", op, payload)
	}
	c.write(opClose, "\x03\xe8")
	if op, _ := c.read(); op != opClose {
		t.Errorf("got frame %d, want the close", op)
	}
	if got := strings.Join(<-s.done, " "); got != "one two three" {
		t.Errorf("committed %q", got)
	}
}

func TestMessageAboveTheLimitClosesTheSocket(t *testing.T) {
	t.Parallel()
	s := &store{done: make(chan []string, 1)}
	c := dialRaw(t, socketServer(t, s.serve))
	c.write(opText, strings.Repeat("x", 110))
	op, payload := c.read()
	if op != opClose || binary.BigEndian.Uint16([]byte(payload)) != uint16(websocket.StatusMessageTooBig) {
		t.Errorf("got frame %d %q", op, payload)
	}
	<-s.done
}

func TestAcceptNegotiates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		required bool
		offered  []string
		mode     websocket.CompressionMode
		status   int
		want     string
		deflate  bool
	}{
		{"the offered subprotocol", true, []string{"other", "prefect"}, websocket.CompressionContextTakeover, 101, "prefect", true},
		{"no compression when none is offered", true, []string{"prefect"}, websocket.CompressionDisabled, 101, "prefect", false},
		{"a client of old without a subprotocol", false, nil, websocket.CompressionDisabled, 101, "", false},
		{"no subprotocol where it is required", true, nil, websocket.CompressionDisabled, 403, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := socketServer(t, func(w http.ResponseWriter, r *http.Request) {
				conn, err := api.Accept(w, r, api.SocketOptions{Subprotocol: "prefect", Required: tt.required})
				if err != nil {
					return
				}
				kind, message, err := conn.Read(r.Context())
				if err == nil {
					err = conn.Write(r.Context(), kind, message)
				}
				if err != nil {
					t.Error(err)
				}
				_ = conn.Close(websocket.StatusNormalClosure, "")
			})
			conn, res, err := websocket.Dial(t.Context(), server.URL+"/api/events/in", &websocket.DialOptions{
				Subprotocols: tt.offered, CompressionMode: tt.mode, HTTPHeader: http.Header{"Origin": {"http://elsewhere"}},
			})
			if res == nil || res.StatusCode != tt.status {
				t.Fatalf("answer %v, %v", res, err)
			}
			if res.Body != nil {
				defer func() { _ = res.Body.Close() }()
			}
			if err != nil {
				return
			}
			text := strings.Repeat("é", 1000)
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := conn.Read(t.Context()); err != nil || string(got) != text {
				t.Errorf("echo %q, %v", got, err)
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
			if conn.Subprotocol() != tt.want {
				t.Errorf("subprotocol %q", conn.Subprotocol())
			}
			if got := strings.Contains(res.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate"); got != tt.deflate {
				t.Errorf("compression %v", got)
			}
		})
	}
}

func TestPlainRequestFindsNoSocket(t *testing.T) {
	t.Parallel()
	router := api.NewRouter(testDialect(nil), "/api")
	router.HandleOpen("GET", "/events/in", api.Socket(func(http.ResponseWriter, *http.Request) { t.Error("called") }))
	if w := do(t.Context(), router, "GET", "/api/events/in", ""); w.Code != http.StatusNotFound || w.Body.String() != `{"detail":"Not Found"}` {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
}

func TestDrainWaitsForTheHandlersOfWebsockets(t *testing.T) {
	t.Parallel()
	closing, release := make(chan struct{}), make(chan struct{})
	rt := api.NewRouter(&api.Dialect{}, "/api")
	rt.HandleOpen("GET", "/events/in", api.Socket(func(w http.ResponseWriter, r *http.Request) {
		if conn, err := api.Accept(w, r, api.SocketOptions{Subprotocol: "prefect"}); err == nil {
			defer func() { _ = conn.CloseNow() }()
		}
		close(closing)
		<-release
	}))
	server := httptest.NewServer(rt)
	defer server.Close()
	dialRaw(t, server)
	<-closing
	if err := server.Config.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if left := rt.Drain(impatient); !slices.Equal(left, []string{"GET /api/events/in"}) {
		t.Errorf("while a handler runs these are left: %v", left)
	}
	drained := make(chan []string, 1)
	go func() { drained <- rt.Drain(t.Context()) }()
	close(release)
	if left := <-drained; left != nil {
		t.Errorf("after the last handler these are left: %v", left)
	}
}
