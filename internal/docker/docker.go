// Package docker speaks to a Docker daemon by its HTTP API: the ten calls that
// running containers needs. It depends on nothing but the standard library.
package docker

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// DefaultHost is where a daemon listens unless DOCKER_HOST says otherwise.
const DefaultHost = "unix:///var/run/docker.sock"

// Client calls one daemon. It may be used by many goroutines at once.
type Client struct {
	http *http.Client
	base string
	// Host is the daemon's address as it was given.
	Host string
}

// New returns a client of the daemon at a host as DOCKER_HOST names it: unix://
// or tcp://; "" is DefaultHost. It does not connect.
func New(host string) (*Client, error) {
	if host == "" {
		host = DefaultHost
	}
	kind, address, _ := strings.Cut(host, "://")
	c := &Client{Host: host}
	var dialer net.Dialer
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	switch kind {
	case "unix":
		c.base = "http://docker"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", address)
		}
	case "tcp", "http":
		c.base = "http://" + address
		transport.DialContext = dialer.DialContext
	default:
		return nil, fmt.Errorf("docker host %q is neither unix:// nor tcp://", host)
	}
	c.http = &http.Client{Transport: transport}
	return c, nil
}

// Error is what a daemon answers instead of success.
type Error struct {
	Status  int // of HTTP
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// IsStatus tells whether err is a daemon's answer with a status.
func IsStatus(err error, status int) bool {
	known, ok := errors.AsType[*Error](err)
	return ok && known.Status == status
}

// IsNotFound tells whether err says that a container or an image is not there.
func IsNotFound(err error) bool { return IsStatus(err, http.StatusNotFound) }

// request sends a request and returns the answer's body, which the caller closes.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body io.Reader, header http.Header) (io.ReadCloser, error) {
	if body == nil {
		body = http.NoBody
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+query.Encode(), body)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("docker at %s: %w", c.Host, err)
	}
	// 304 says that a container is already as it should be.
	if resp.StatusCode < 400 {
		return resp.Body, nil
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	var told struct{ Message string }
	if json.Unmarshal(text, &told) != nil || told.Message == "" {
		told.Message = strings.TrimSpace(string(text))
	}
	return nil, &Error{Status: resp.StatusCode, Message: told.Message}
}

// call sends JSON and reads JSON; in and out may be nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body io.Reader
	header := http.Header{}
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
		header.Set("Content-Type", "application/json")
	}
	answer, err := c.request(ctx, method, path, query, body, header)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	if out == nil {
		_, err = io.Copy(io.Discard, answer)
		return err
	}
	return json.NewDecoder(answer).Decode(out)
}

// Ping returns an error unless a daemon answers.
func (c *Client) Ping(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/_ping", nil, nil, nil)
}

// Image is what an image says of itself.
type Image struct {
	ID          string `json:"Id"`
	RepoDigests []string
	Config      struct {
		Entrypoint, Cmd, Env []string
		WorkingDir           string
	}
}

// Image returns an image that is here; else the error IsNotFound.
func (c *Client) Image(ctx context.Context, name string) (Image, error) {
	var i Image
	err := c.call(ctx, http.MethodGet, "/images/"+name+"/json", nil, nil, &i)
	return i, err
}

// Auth are credentials of a registry; zero is none.
type Auth struct {
	Username      string `json:"username,omitempty"`
	Password      string `json:"password,omitempty"`
	ServerAddress string `json:"serveraddress,omitempty"`
}

// Pull gets an image from its registry, and returns when it is here.
func (c *Client) Pull(ctx context.Context, name string, auth Auth) error {
	query := url.Values{"fromImage": {name}}
	if last := name[strings.LastIndexByte(name, '/')+1:]; !strings.ContainsAny(last, ":@") {
		query.Set("tag", "latest")
	}
	header := http.Header{}
	if auth != (Auth{}) {
		text, err := json.Marshal(auth)
		if err != nil {
			return err
		}
		header.Set("X-Registry-Auth", base64.URLEncoding.EncodeToString(text))
	}
	return c.progress(ctx, "/images/create", query, nil, header)
}

// Import makes an image of a tar archive of its file system. Changes are lines of
// a Dockerfile, such as CMD.
func (c *Client) Import(ctx context.Context, name string, archive io.Reader, changes ...string) error {
	repository, tag, _ := strings.Cut(name, ":")
	query := url.Values{"fromSrc": {"-"}, "repo": {repository}, "tag": {tag}, "changes": changes}
	return c.progress(ctx, "/images/create", query, archive, http.Header{"Content-Type": {"application/x-tar"}})
}

// progress follows the messages of a long call, whose error is one of them.
func (c *Client) progress(ctx context.Context, path string, query url.Values, body io.Reader, header http.Header) error {
	answer, err := c.request(ctx, http.MethodPost, path, query, body, header)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	in := json.NewDecoder(answer)
	for {
		var line struct{ Error string }
		switch err := in.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Error != "":
			return errors.New(line.Error)
		}
	}
}

// Gateway is the address by which containers of a network reach the host, such as
// that of the network bridge.
func (c *Client) Gateway(ctx context.Context, network string) (string, error) {
	var n struct {
		IPAM struct{ Config []struct{ Gateway string } }
	}
	if err := c.call(ctx, http.MethodGet, "/networks/"+url.PathEscape(network), nil, nil, &n); err != nil {
		return "", err
	}
	for _, one := range n.IPAM.Config {
		if one.Gateway != "" {
			return one.Gateway, nil
		}
	}
	return "", fmt.Errorf("the network %s has no gateway", network)
}
