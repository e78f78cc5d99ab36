package robust

import (
	"bytes"
	"context"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a server and Postgres and can be cut.
type proxy struct {
	t        *testing.T
	target   string
	address  string
	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	all      sync.WaitGroup
	// stalled is closed when bytes flow; nil means that they flow.
	stalled chan struct{}
	// held is what was kept back since the stall began.
	held []byte
}

// newProxy returns a proxy and the database's URL through it.
func newProxy(t *testing.T, database string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, target: u.Host, address: "127.0.0.1:0", conns: map[net.Conn]bool{}}
	p.up()
	t.Cleanup(func() {
		p.down()
		p.all.Wait()
	})
	u.Host = p.address
	return p, u.String()
}

// up lets connections through.
func (p *proxy) up() {
	p.t.Helper()
	l, err := new(net.ListenConfig).Listen(context.WithoutCancel(p.t.Context()), "tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener, p.address = l, l.Addr().String()
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.serve(c) })
		}
	})
}

// down breaks all connections and refuses new ones.
func (p *proxy) down() {
	p.resume()
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.listener.Close()
	for c := range p.conns {
		_ = c.Close()
	}
}

// stall keeps connections and takes new ones, and lets no byte through.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled, p.held = make(chan struct{}), nil
}

// holds reports whether the text is in what a stall keeps back.
func (p *proxy) holds(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Contains(p.held, []byte(text))
}

// resume ends a stall.
func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

// flow returns what to wait for before the bytes may go on, or nil.
func (p *proxy) flow(bytes []byte) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled != nil {
		p.held = append(p.held, bytes...)
	}
	return p.stalled
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
}

func (p *proxy) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	p.keep(c)
	d, err := new(net.Dialer).DialContext(context.WithoutCancel(p.t.Context()), "tcp", p.target)
	if err != nil {
		return
	}
	defer func() { _ = d.Close() }()
	p.keep(d)
	p.all.Go(func() { p.copy(c, d) })
	p.copy(d, c)
}

// copy moves bytes until either side ends, and then ends the other.
func (p *proxy) copy(to, from net.Conn) {
	defer func() { _ = to.Close() }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if wait := p.flow(buf[:n]); wait != nil {
			<-wait
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
