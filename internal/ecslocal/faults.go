package ecslocal

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Faults are the troubles that the endpoint makes on purpose. The zero value
// makes none. A count below zero goes on until it is changed.
type Faults struct {
	// NoCapacity is how many tasks find no room next.
	NoCapacity int `json:"noCapacity"`
	// Throttle is how many calls are throttled next.
	Throttle int `json:"throttle"`
	// ThrottleShare is the share of all calls, from 0 to 1, that is throttled besides.
	ThrottleShare float64 `json:"throttleShare"`
	// ThrottleActions are the actions that are throttled, such as RunTask; none
	// means all of ecs.
	ThrottleActions []string `json:"throttleActions,omitempty"`
	// PullFailures is how many images can't be pulled next.
	PullFailures int `json:"pullFailures"`
	// LostEvents is how many task state changes are not told next.
	LostEvents int `json:"lostEvents"`
	// StartDelay is how many seconds longer a task is PENDING.
	StartDelay float64 `json:"startDelay"`
}

// interruption asks for tasks to be taken away, as Spot does.
type interruption struct {
	// Task is a task's id or ARN; "*" stands for all tasks on FARGATE_SPOT.
	Task string `json:"interrupt"`
	// Seconds is the time between SIGTERM and SIGKILL; nil means 120.
	Seconds *float64 `json:"interruptSeconds"`
}

// fields are the settings of Faults as a command line writes them.
func (f *Faults) fields() map[string]any {
	return map[string]any{
		"no-capacity": &f.NoCapacity, "throttle": &f.Throttle, "throttle-share": &f.ThrottleShare, "throttle-actions": &f.ThrottleActions,
		"pull-failures": &f.PullFailures, "lost-events": &f.LostEvents, "start-delay": &f.StartDelay,
	}
}

// FaultNames lists what Set knows.
func FaultNames() []string {
	return []string{"no-capacity=N", "throttle=N", "throttle-share=0..1", "throttle-actions=RunTask,…", "pull-failures=N", "lost-events=N", "start-delay=SECONDS"}
}

// Set sets a fault from NAME=VALUE.
func (f *Faults) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q is not NAME=VALUE", text)
	}
	var err error
	switch field := f.fields()[name].(type) {
	case *int:
		*field, err = strconv.Atoi(value)
	case *float64:
		*field, err = strconv.ParseFloat(value, 64)
	case *[]string:
		*field = nil
		if value != "" {
			*field = strings.Split(value, ",")
		}
	default:
		return fmt.Errorf("there is no fault %q, only %s", name, strings.Join(FaultNames(), ", "))
	}
	if err != nil {
		return fmt.Errorf("fault %s: %q is not a number", name, value)
	}
	return f.check()
}

func (f *Faults) check() error {
	if !between(f.ThrottleShare, 0, 1) {
		return fmt.Errorf("the throttled share %v is not between 0 and 1", f.ThrottleShare)
	}
	if !between(f.StartDelay, 0, 86400) {
		return fmt.Errorf("a start delay of %v s is not between 0 and a day", f.StartDelay)
	}
	return nil
}

// between is false for what is no number.
func between(f, least, most float64) bool { return f >= least && f <= most }

// take uses one of a count up.
func take(count *int) bool {
	if *count > 0 {
		*count--
		return true
	}
	return *count < 0
}

// capacityFails tells whether the next task finds no room; the caller holds the lock.
func (f *Faults) capacityFails() bool { return take(&f.NoCapacity) }

// throttled returns the error of a call that is throttled on purpose.
func (s *Server) throttled(service, action string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.faults
	if len(f.ThrottleActions) > 0 && !slices.Contains(f.ThrottleActions, action) || len(f.ThrottleActions) == 0 && service != "ecs" {
		return nil
	}
	if take(&f.Throttle) || f.ThrottleShare > 0 && rand.Float64() < f.ThrottleShare {
		return errorf("ThrottlingException", "Rate exceeded")
	}
	return nil
}

// pullFails returns the error of an image that can't be pulled on purpose.
func (s *Server) pullFails(image string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !take(&s.faults.PullFailures) {
		return nil
	}
	return fmt.Errorf("pull image manifest has been retried 5 time(s): failed to resolve ref %s: not found", image)
}

// startDelay is how much longer a task is PENDING.
func (s *Server) startDelay() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.faults.StartDelay * float64(time.Second))
}

// serveFaults shows the faults (GET), changes those that a JSON object names
// (POST), or ends all (DELETE).
func (s *Server) serveFaults(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, err error) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"message": err.Error()})
	}
	interrupted := []string{}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		s.faults = Faults{}
	case http.MethodPost:
		// A page in a browser can't send this type to another origin unasked.
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			refuse(http.StatusUnsupportedMediaType, fmt.Errorf("the content type is not application/json"))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err != nil {
			refuse(http.StatusBadRequest, err)
			return
		}
		interrupted, err = s.changeFaults(body)
		if err != nil {
			refuse(http.StatusBadRequest, err)
			return
		}
	default:
		refuse(http.StatusMethodNotAllowed, fmt.Errorf("use GET, POST or DELETE"))
		return
	}
	writeJSON(w, "application/json", map[string]any{"faults": s.faults, "interrupted": interrupted})
}

// changeFaults applies a JSON object; the caller holds the lock.
func (s *Server) changeFaults(body []byte) ([]string, error) {
	changed := struct {
		Faults
		interruption
	}{Faults: s.faults}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&changed); err != nil {
		return nil, err
	}
	if err := changed.check(); err != nil {
		return nil, err
	}
	grace := 120 * time.Second
	if n := changed.Seconds; n != nil {
		if !between(*n, 0, 3600) {
			return nil, fmt.Errorf("%v seconds are not between 0 and an hour", *n)
		}
		grace = time.Duration(*n * float64(time.Second))
	}
	interrupted := []string{}
	if changed.Task != "" {
		if interrupted = s.interrupt(changed.Task, grace); len(interrupted) == 0 && changed.Task != "*" {
			return nil, fmt.Errorf("there is no running task %s", changed.Task)
		}
	}
	s.faults = changed.Faults
	return interrupted, nil
}

// interrupt takes tasks away as Spot does: two minutes' notice by SIGTERM.
func (s *Server) interrupt(ref string, grace time.Duration) []string {
	arns := []string{}
	for _, st := range s.sites {
		for id, t := range st.Tasks {
			spot := ref == "*" && t.CapacityProviderName == fargateSpot
			if t.run == nil || t.run.stopped || !spot && id != lastPart(ref) {
				continue
			}
			t.run.askToStop(stopRequest{code: stopSpot, reason: "Your Spot Task was interrupted.", grace: &grace}, s.cfg.Now())
			arns = append(arns, t.TaskArn)
		}
	}
	slices.Sort(arns)
	return arns
}
