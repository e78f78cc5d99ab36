package docker

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Spec is what a container is made of, in the API's own names.
type Spec struct {
	Image      string
	Entrypoint []string          `json:",omitempty"`
	Cmd        []string          // an empty list takes away the image's
	Env        []string          `json:",omitempty"`
	WorkingDir string            `json:",omitempty"`
	User       string            `json:",omitempty"`
	Labels     map[string]string `json:",omitempty"`
	HostConfig HostConfig
}

// HostConfig is how a container lives on its host.
type HostConfig struct {
	Binds       []string `json:",omitempty"`
	NetworkMode string   `json:",omitempty"`
	Memory      int64    `json:",omitempty"` // bytes
	MemorySwap  int64    `json:",omitempty"` // bytes, with memory; -1 is no limit
	Privileged  bool     `json:",omitempty"`
	ExtraHosts  []string `json:",omitempty"` // NAME:ADDRESS
	Init        bool     `json:",omitempty"` // a first process that passes signals on and reaps
}

// Create makes a container and returns its id. The error IsStatus 409 says that
// the name is taken.
func (c *Client) Create(ctx context.Context, name string, spec *Spec) (string, error) {
	query := url.Values{}
	if name != "" {
		query.Set("name", name)
	}
	var made struct{ ID string }
	err := c.call(ctx, http.MethodPost, "/containers/create", query, spec, &made)
	return made.ID, err
}

// Start starts a container that was made.
func (c *Client) Start(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "/containers/"+url.PathEscape(id)+"/start", nil, nil, nil)
}

// Connect joins a container to a network besides its first.
func (c *Client) Connect(ctx context.Context, network, id string) error {
	return c.call(ctx, http.MethodPost, "/networks/"+url.PathEscape(network)+"/connect", nil, map[string]string{"Container": id}, nil)
}

// Container is a container as it is.
type Container struct {
	ID     string `json:"Id"`
	Name   string
	Config struct{ Labels map[string]string }
	State  struct {
		Status    string
		Running   bool
		OOMKilled bool
		ExitCode  int
		Error     string
	}
}

// Inspect returns a container; the error IsNotFound says that there is none.
func (c *Client) Inspect(ctx context.Context, id string) (Container, error) {
	var found Container
	err := c.call(ctx, http.MethodGet, "/containers/"+url.PathEscape(id)+"/json", nil, nil, &found)
	return found, err
}

// Running lists the ids of the running containers that have a label.
func (c *Client) Running(ctx context.Context, label, value string) ([]string, error) {
	filters, err := json.Marshal(map[string][]string{"label": {label + "=" + value}, "status": {"running"}})
	if err != nil {
		return nil, err
	}
	var found []struct {
		ID string `json:"Id"`
	}
	if err := c.call(ctx, http.MethodGet, "/containers/json", url.Values{"filters": {string(filters)}}, nil, &found); err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	return ids, nil
}

// Wait returns a container's exit status once it does not run.
func (c *Client) Wait(ctx context.Context, id string) (int, error) {
	var ended struct{ StatusCode int }
	err := c.call(ctx, http.MethodPost, "/containers/"+url.PathEscape(id)+"/wait", nil, nil, &ended)
	return ended.StatusCode, err
}

// Signal sends a signal, such as SIGTERM, to a container's first process. The
// error IsStatus 409 says that the container does not run.
func (c *Client) Signal(ctx context.Context, id, signal string) error {
	return c.call(ctx, http.MethodPost, "/containers/"+url.PathEscape(id)+"/kill", url.Values{"signal": {signal}}, nil, nil)
}

// Remove removes a container, running or not.
func (c *Client) Remove(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/containers/"+url.PathEscape(id), url.Values{"force": {"1"}, "v": {"1"}}, nil, nil)
}

// maxFrame is more than a daemon puts into a frame of output.
const maxFrame = 16 << 20

// Attach connects to what a container without a terminal writes from now on; one
// that was not started yet is heard from its first byte. The caller closes it.
func (c *Client) Attach(ctx context.Context, id string) (io.ReadCloser, error) {
	query := url.Values{"stream": {"1"}, "stdout": {"1"}, "stderr": {"1"}}
	return c.request(ctx, http.MethodPost, "/containers/"+url.PathEscape(id)+"/attach", query, nil, nil)
}

// Follow reads a container's log from a time on until it ends. Daemons forget a
// last line without an end at times, which Attach does not.
func (c *Client) Follow(ctx context.Context, id string, since time.Time) (io.ReadCloser, error) {
	query := url.Values{"follow": {"1"}, "stdout": {"1"}, "stderr": {"1"}, "since": {fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())}}
	return c.request(ctx, http.MethodGet, "/containers/"+url.PathEscape(id)+"/logs", query, nil, nil)
}

// Copy copies both streams of what Attach and Follow read.
func Copy(out io.Writer, in io.Reader) error {
	// Each frame has a head of eight bytes: the stream, three zeros, the length.
	var head [8]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		n := binary.BigEndian.Uint32(head[4:])
		if head[0] > 2 || n > maxFrame {
			return errors.New("the output of the container is not in frames")
		}
		if _, err := io.CopyN(out, in, int64(n)); err != nil {
			return err
		}
	}
}
