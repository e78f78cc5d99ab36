package docker_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/docker"
)

// daemon answers by a handler in the place of a daemon; what a real one does is
// tried by internal/launch/docker.
func daemon(t *testing.T, h http.HandlerFunc) *docker.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := docker.New("tcp://" + strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestErrors(t *testing.T) {
	t.Parallel()
	c := daemon(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/images/create"):
			_, _ = fmt.Fprintln(w, `{"status":"Pulling"}`)
			_, _ = fmt.Fprintln(w, `{"error":"pull access denied for x"}`)
		case strings.HasPrefix(r.URL.Path, "/images/"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `{"message":"No such image: x"}`)
		default:
			w.WriteHeader(http.StatusConflict)
			_, _ = fmt.Fprint(w, "no JSON")
		}
	})
	if err := c.Pull(t.Context(), "x", docker.Auth{}); err == nil || err.Error() != "pull access denied for x" {
		t.Errorf("an error within the progress of a pull: %v", err)
	}
	if _, err := c.Image(t.Context(), "x"); !docker.IsNotFound(err) || err.Error() != "No such image: x" {
		t.Errorf("an image that is not there: %v", err)
	}
	if err := c.Start(t.Context(), "x"); !docker.IsStatus(err, http.StatusConflict) || err.Error() != "no JSON" {
		t.Errorf("an error without JSON: %v", err)
	}
	for _, host := range []string{"ssh://x", "nonsense", "://"} {
		if _, err := docker.New(host); err == nil {
			t.Errorf("host %q is taken", host)
		}
	}
	gone, err := docker.New("unix:///no/such/socket")
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "unix:///no/such/socket") {
		t.Errorf("no daemon: %v", err)
	}
}

func TestPullAsksFor(t *testing.T) {
	t.Parallel()
	for image, tag := range map[string]string{
		"app": "latest", "app:1": "", "host:5000/app": "latest", "host:5000/app:2": "", "app@sha256:00": "",
	} {
		var asked, auth string
		c := daemon(t, func(_ http.ResponseWriter, r *http.Request) {
			asked, auth = r.URL.Query().Get("fromImage")+" "+r.URL.Query().Get("tag"), r.Header.Get("X-Registry-Auth")
		})
		if err := c.Pull(t.Context(), image, docker.Auth{Username: "u"}); err != nil || asked != image+" "+tag || auth != "eyJ1c2VybmFtZSI6InUifQ==" {
			t.Errorf("%s: asked for %q with %q, %v", image, asked, auth, err)
		}
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
		fails          bool
	}{
		{"two streams", "\x01\x00\x00\x00\x00\x00\x00\x02ab\x02\x00\x00\x00\x00\x00\x00\x01c", "abc", false},
		{"nothing", "", "", false},
		{"a frame that is cut", "\x01\x00\x00\x00\x00\x00\x00\x05ab", "ab", true},
		{"a head that is cut", "\x01\x00", "", true},
		{"no frames", "plain text of a terminal", "", true},
		{"a frame too long", "\x01\x00\x00\x00\xff\xff\xff\xffx", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			if err := docker.Copy(&out, strings.NewReader(tt.in)); (err != nil) != tt.fails || out.String() != tt.want {
				t.Errorf("%q, %v", out.String(), err)
			}
		})
	}
}
