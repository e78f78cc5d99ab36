package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// answerTime is how long an answer may take; the reference needs many seconds
// under load.
const answerTime = 90 * time.Second

// conn is one client with one connection that stays open. It does without
// net/http's client, whose work would take CPU from the server beside it.
type conn struct {
	addr string
	nc   net.Conn
	r    *bufio.Reader
	out  []byte
	in   bytes.Buffer
}

func newConn(addr string) *conn { return &conn{addr: addr} }

func (c *conn) close() {
	if c.nc != nil {
		_ = c.nc.Close() // the connection is given up whatever it says
		c.nc = nil
	}
}

// post sends a body to a path below /api and returns the answer's body, which
// is valid until the next call. Any other status than want is an error.
func (c *conn) post(ctx context.Context, path string, body []byte, want int) ([]byte, error) {
	return c.do(ctx, http.MethodPost, path, body, want)
}

func (c *conn) do(ctx context.Context, method, path string, body []byte, want int) ([]byte, error) {
	return c.ask(ctx, method, "/api"+path, prefectHeaders, body, want)
}

// prefectHeaders are what the SDK sends beside Host and the length.
const prefectHeaders = "Accept: */*\r\nUser-Agent: prefect/3.8.8 (API 0.8.4)\r\nX-Prefect-Api-Version: 0.8.4\r\n" +
	"Content-Type: application/json\r\n"

// ask sends a request with headers, each of which ends with its line. Any other
// status than want is an error.
func (c *conn) ask(ctx context.Context, method, path, headers string, body []byte, want int) ([]byte, error) {
	status, err := c.exchange(ctx, method, path, headers, body)
	if err != nil {
		c.close()
		return nil, err
	}
	if status != want {
		return nil, fmt.Errorf("%s %s: status %d: %.200s", method, path, status, c.in.Bytes())
	}
	return c.in.Bytes(), nil
}

func (c *conn) exchange(ctx context.Context, method, path, headers string, body []byte) (int, error) {
	if c.nc == nil {
		d := net.Dialer{Timeout: 10 * time.Second}
		nc, err := d.DialContext(ctx, "tcp", c.addr)
		if err != nil {
			return 0, err
		}
		c.nc, c.r = nc, bufio.NewReaderSize(nc, 32<<10)
	}
	c.out = append(c.out[:0], method...)
	c.out = append(c.out, ' ')
	c.out = append(c.out, path...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: "...)
	c.out = append(c.out, c.addr...)
	c.out = append(c.out, "\r\n"...)
	c.out = append(c.out, headers...)
	c.out = append(c.out, "Content-Length: "...)
	c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if err := c.nc.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return 0, err
	}
	if _, err := c.nc.Write(c.out); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return 0, err
	}
	c.in.Reset()
	_, err = io.Copy(&c.in, resp.Body)
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	if resp.Close {
		c.close()
	}
	return resp.StatusCode, err
}

// field returns the first string value of a key of a JSON text as the servers
// write it, or "".
func field(body []byte, key string) string {
	_, rest, ok := bytes.Cut(body, []byte(`"`+key+`":`))
	if !ok {
		return ""
	}
	rest = bytes.TrimLeft(rest, " ")
	if len(rest) == 0 || rest[0] != '"' {
		return ""
	}
	value, _, ok := bytes.Cut(rest[1:], []byte{'"'})
	if !ok {
		return ""
	}
	return string(value)
}

// createdID is the id that an answer starts with.
func createdID(body []byte) (string, error) {
	if id := field(body, "id"); id != "" {
		return id, nil
	}
	return "", fmt.Errorf("an answer without id: %.200s", body)
}
