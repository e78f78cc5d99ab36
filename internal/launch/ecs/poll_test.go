package ecs

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/awscall"
)

// TestIntervals watches a task in a world where time passes only while all wait.
func TestIntervals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []float64 // seconds at which the task was asked for
		var l *Launcher
		statuses := []string{"PENDING", "RUNNING", "RUNNING", "RUNNING", "RUNNING", "RUNNING", "throttled", "RUNNING", "STOPPING", "STOPPED"}
		ecs := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			at = append(at, time.Since(began).Seconds())
			status := statuses[0]
			if statuses = statuses[1:]; status == "throttled" {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = fmt.Fprint(w, `{"__type": "ThrottlingException", "message": "Rate exceeded"}`)
				return
			}
			if status == "STOPPING" {
				time.AfterFunc(0, l.nudge)
			}
			if len(statuses) == 2 { // somebody wants news 3 s after this answer
				time.AfterFunc(3*time.Second, l.nudge)
			}
			_, _ = fmt.Fprintf(w, `{"tasks": [{"taskArn": "t", "lastStatus": %q, "stopCode": "EssentialContainerExited", "containers": [{"name": "prefect", "exitCode": 4}]}]}`, status)
		})
		caller, err := awscall.New(awscall.Config{Now: time.Now, Handlers: map[string]http.Handler{"ecs": ecs}, Attempts: 1})
		if err != nil {
			t.Fatal(err)
		}
		l = &Launcher{Caller: caller, Now: time.Now}
		w := newWork("run")
		w.at, w.cluster, w.arn, w.container, w.since = place{region: "us-east-1"}, "c", "t", "prefect", began
		if _, ok := l.works.Claim(w); !ok {
			t.Fatal("another work is under way")
		}
		w.Begin()
		l.watch(w, nil, time.Time{}, nil)
		exit, err := l.Wait(t.Context(), "run")
		if err != nil || exit.Code != 4 {
			t.Errorf("%v, ended with %+v", err, exit)
		}
		// 1 s after each change, doubling to 10 s without, longer after a failure, and
		// the least after a nudge.
		if diff := cmp.Diff([]float64{1, 2, 3, 5, 9, 17, 27, 47, 51, 52}, at); diff != "" {
			t.Errorf("asked at (-want +got):\n%s", diff)
		}
	})
}
