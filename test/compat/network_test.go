package compat

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// onOwnLink runs the behaviour on a server of its own, once for each database,
// with a machine of its own whose cable can be cut.
func onOwnLink(t *testing.T, flags []string, test func(*testing.T, *server, *link)) {
	t.Helper()
	leatOnly(t)
	t.Parallel()
	for _, kind := range env.databases() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newLink(t)
			test(t, ownServer(t, kind, options{host: l.host, flags: flags}), l)
		})
	}
}

// networkLimit is the heartbeat timeout while a network is cut.
const networkLimit = 20 * time.Second

func networkFlags() []string { return []string{"--heartbeat-timeout", networkLimit.String()} }

// A run whose machine lost its network is dead after the limit …
func TestMachineLosesItsNetworkForGood(t *testing.T) {
	onOwnLink(t, networkFlags(), func(t *testing.T, s *server, l *link) {
		c := newClient(t, s)
		c.link = l
		p, id := quietRun(c, "sleep", 600)
		s.waitState(t, id, "Running", 10*time.Second)
		l.cut()
		begin := time.Now()
		r := s.waitState(t, id, "Crashed", 4*networkLimit)
		took := time.Since(begin)
		t.Logf("noticed after %s: %s", took.Round(100*time.Millisecond), r.State.Message)
		if took < networkLimit/2 || took > networkLimit+networkLimit/2 {
			t.Errorf("the run was declared dead after %s; the limit is %s", took, networkLimit)
		}
		if !strings.Contains(r.State.Message, "its process or its machine is gone") {
			t.Errorf("message %q gives no reason in words", r.State.Message)
		}
		p.killGroup()
	})
}

// … and not before.
func TestMachineLosesItsNetworkForLessThanTheLimit(t *testing.T) {
	onOwnLink(t, networkFlags(), func(t *testing.T, s *server, l *link) {
		c := newClient(t, s)
		c.link = l
		p, id := quietRun(c, "sleep", 60)
		s.waitState(t, id, "Running", 10*time.Second)
		l.cut()
		stays(t, s, id, "Running", networkLimit*3/4)
		l.mend()
		p.waitOutput("completed", 2*time.Minute)
		s.waitState(t, id, "Completed", 10*time.Second)
		recordedStatesLive(t, s, id)
	})
}

// A worker whose machine lost its network is OFFLINE, and keeps no run that it
// claimed and has not started.
func TestWorkerLosesItsNetwork(t *testing.T) {
	onOwnLink(t, []string{"--claim-timeout", "5s"}, func(t *testing.T, s *server, l *link) {
		c := newClient(t, s)
		pool, ids := c.pool()
		far := *c
		far.link = l
		far.env = []string{"PREFECT_API_URL=" + cutAtClaim(t, s, l)}
		id := s.createRun(t, ids.text(t, "pooled"), nil)
		p := leatWorker(&far, pool)
		s.waitState(t, id, "Pending", time.Minute)
		p.waitOutput("claiming flow run", 10*time.Second)
		if got := s.scheduledIn(t, pool); len(got) != 0 {
			t.Errorf("a claimed run is handed out again at once: %v", got)
		}
		// A worker is offline after three heartbeats, of 30 s each.
		waitFor(t, 3*time.Minute, "the worker to be OFFLINE and its run offered again", func(ctx context.Context) (bool, error) {
			worker, _, err := poolStatus(ctx, s, pool)
			return worker == "OFFLINE" && slices.Equal(s.scheduledIn(t, pool), []string{id}), err
		})
		near := *c
		near.name += "-near"
		q := leatWorker(&near, pool)
		s.waitState(t, id, "Completed", time.Minute)
		q.interrupt()
		l.mend()
		waitFor(t, 2*time.Minute, "the worker to be ONLINE again", func(ctx context.Context) (bool, error) {
			var found []struct{ Name, Status string }
			err := s.call(ctx, http.MethodPost, "/work_pools/"+pool+"/workers/filter", object{}, &found)
			return slices.ContainsFunc(found, func(w struct{ Name, Status string }) bool {
				return w.Name == c.name+"-worker" && w.Status == "ONLINE"
			}), err
		})
		p.waitOutput("the run is not to be started", time.Minute)
		if n := strings.Count(c.notes(), "pooled"); n != 1 {
			t.Errorf("the run was executed %d times", n)
		}
	})
}

// cutAtClaim is the server's address for the machine. When the server has
// accepted the first claim of a run, the cable is cut before the answer leaves.
func cutAtClaim(t *testing.T, s *server, l *link) string {
	t.Helper()
	target, err := url.Parse(strings.TrimSuffix(s.api, "/api"))
	if err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			if strings.HasSuffix(r.Request.URL.Path, "/set_state") {
				once.Do(l.cut)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", l.host+":0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return "http://" + listener.Addr().String() + "/api"
}
