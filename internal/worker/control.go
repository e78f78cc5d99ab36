package worker

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// control tells the flows' processes, before they are killed, that the kill is a
// cancellation, so that Prefect's engine in them runs on_cancellation hooks
// instead of those for a crash. Prefect's own way: a process connects to the port
// that it was given, sends its token and a newline, gets the byte c and confirms
// by the byte a. All methods do nothing on nil.
type control struct {
	listener net.Listener

	mu     sync.Mutex
	tokens map[string]core.ID
	flows  map[core.ID]*controlled
}

// controlled is the connection of one flow's process.
type controlled struct {
	token string
	conn  net.Conn // nil until the process has connected
	acked chan struct{}
}

// controlHello says: version 1 of the protocol, no capabilities. The question
// differs in the last two bytes alone.
const controlHello = "\x00PF\x01\x00"

// controlTime is how long a process may take to confirm.
const controlTime = time.Second

func listenControl(ctx context.Context) (*control, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &control{listener: l, tokens: map[string]core.ID{}, flows: map[core.ID]*controlled{}}, nil
}

// serve accepts connections until close, and returns when all have ended.
func (c *control) serve() {
	var group sync.WaitGroup
	defer group.Wait()
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		group.Go(func() { c.handle(conn) })
	}
}

func (c *control) handle(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 256)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	c.mu.Lock()
	token := strings.TrimSpace(line)
	flow := c.flows[c.tokens[token]]
	// A token is good for one connection.
	if delete(c.tokens, token); flow != nil && flow.token == token {
		flow.conn = conn
	} else {
		flow = nil
	}
	c.mu.Unlock()
	if flow == nil {
		return
	}
	for {
		b, err := in.ReadByte()
		if err != nil {
			return
		}
		switch b {
		case controlHello[0]:
			// A newer process asks what else we can do, and waits a second for the answer.
			if _, err := in.Discard(len(controlHello) - 1); err != nil {
				return
			}
			if _, err := conn.Write([]byte(controlHello)); err != nil {
				return
			}
		case 'a':
			close(flow.acked)
			return
		}
	}
}

// register expects a flow's process and returns the variables to start it with.
func (c *control) register(run core.ID) []string {
	if c == nil {
		return nil
	}
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // never fails
	flow := &controlled{token: hex.EncodeToString(secret), acked: make(chan struct{})}
	_, port, _ := net.SplitHostPort(c.listener.Addr().String())
	if _, err := strconv.Atoi(port); err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flows[run], c.tokens[flow.token] = flow, run
	return []string{"PREFECT__CONTROL_PORT=" + port, "PREFECT__CONTROL_TOKEN=" + flow.token}
}

// cancel tells a flow's process that it is to be cancelled, and reports whether it
// has confirmed in time.
func (c *control) cancel(run core.ID) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	flow := c.flows[run]
	connected := flow != nil && flow.conn != nil
	c.mu.Unlock()
	if !connected {
		return false
	}
	_ = flow.conn.SetWriteDeadline(time.Now().Add(controlTime))
	if _, err := flow.conn.Write([]byte("c")); err != nil {
		return false
	}
	timer := time.NewTimer(controlTime)
	defer timer.Stop()
	select {
	case <-flow.acked:
		return true
	case <-timer.C:
		return false
	}
}

// forget drops a flow whose process has ended.
func (c *control) forget(run core.ID) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if flow := c.flows[run]; flow != nil {
		delete(c.tokens, flow.token)
		delete(c.flows, run)
		if flow.conn != nil {
			_ = flow.conn.Close()
		}
	}
}

// close ends serve.
func (c *control) close() {
	_ = c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, flow := range c.flows {
		if flow.conn != nil {
			_ = flow.conn.Close()
		}
	}
}
