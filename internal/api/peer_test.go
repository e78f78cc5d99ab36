package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/api"
)

// silentFor waits until the peer has been silent for so long.
func silentFor(ctx context.Context, least time.Duration) time.Duration {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if d := api.PeerSilence(ctx); d >= least {
			return d
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return 0
}

func TestPeerSilenceIsWhatTheConnectionKnows(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells when a connection's peer was heard of last")
	}
	silent := make(chan time.Duration)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 1))
		silent <- silentFor(r.Context(), 300*time.Millisecond)
		_, _ = io.ReadFull(r.Body, make([]byte, 1))
		silent <- api.PeerSilence(r.Context())
		w.WriteHeader(http.StatusNoContent)
	}))
	srv.Config.ConnContext = api.WithConn
	srv.Start()
	defer srv.Close()
	body, send := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		resp, err := srv.Client().Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		answered <- err
	}()
	if _, err := send.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	before := <-silent
	if before == 0 {
		t.Fatal("the peer said nothing and is not silent")
	}
	if _, err := send.Write([]byte("b")); err != nil {
		t.Fatal(err)
	}
	if after := <-silent; after >= before {
		t.Errorf("the peer spoke and is silent for %s, before for %s", after, before)
	}
	if err := send.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestAConnectionThatIsNotKnownIsNotSilent(t *testing.T) {
	t.Parallel()
	one, other := net.Pipe()
	defer func() { _, _ = one.Close(), other.Close() }()
	for _, ctx := range []context.Context{t.Context(), api.WithConn(t.Context(), one)} {
		if d := api.PeerSilence(ctx); d != 0 {
			t.Errorf("silent for %s", d)
		}
	}
}
