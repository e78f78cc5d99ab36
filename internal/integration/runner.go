package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// DefaultMaxOutput is how large a task's result may be, in bytes of JSON.
const DefaultMaxOutput = 256 << 10

// Flows runs flows of the workflow server for arn:leat:states:::flow:run.
type Flows interface {
	// StartFlow starts a run and returns its id and how it is shown.
	StartFlow(ctx context.Context, t Task) (id string, shown *value.Object, err *TaskError)
	// FlowProgress tells how a run stands.
	FlowProgress(ctx context.Context, w Watch) Progress
	// StopFlow cancels a run.
	StopFlow(ctx context.Context, w Watch, cause string) error
}

// Config is what a Runner is made of.
type Config struct {
	Caller *awscall.Caller
	// HTTP sends the requests of apigateway:invoke and http:invoke; nil is a client
	// that follows no redirects and gives up after a minute.
	HTTP *http.Client
	Now  func() time.Time
	// Flows may be nil when flows cannot be run.
	Flows Flows
	// MaxOutput bounds results, in bytes; 0 is DefaultMaxOutput, negative is none.
	MaxOutput int
}

// Runner makes the calls of tasks. It may be used by many goroutines.
type Runner struct{ cfg Config }

// New makes a Runner.
func New(cfg Config) (*Runner, error) {
	if cfg.Caller == nil || cfg.Now == nil {
		return nil, errors.New("integration: a caller and a clock are needed")
	}
	if cfg.MaxOutput == 0 {
		cfg.MaxOutput = DefaultMaxOutput
	}
	if cfg.HTTP == nil {
		dialer := &net.Dialer{Timeout: 10 * time.Second}
		cfg.HTTP = &http.Client{
			Timeout:       time.Minute,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return &Runner{cfg: cfg}, nil
}

// Task is a call to make.
type Task struct {
	Resource Resource
	// Parameters are the state's, evaluated and with what Defaults adds.
	Parameters any
	// Token is the task token, if the parameters name it.
	Token string
	// ExecutionARN, ExecutionName, MachineARN and State say who calls.
	ExecutionARN, ExecutionName, MachineARN, State string
	// Region and Account are the machine's.
	Region, Account string
	// RoleARN is the role of the state's Credentials; empty is none.
	RoleARN string
	// Call names the call; one that is made again after a crash has the same name.
	// It is empty for a call that stands for itself.
	Call string
}

// Outcome is what came of a call.
type Outcome struct {
	// Output is the answer: the state's result when nothing is waited for, or what
	// TaskSubmitted shows.
	Output any
	// Watch follows what the state waits for; nil when there is nothing to follow.
	Watch *Watch
}

// Watch follows a job. It is made of plain fields, so that it can be stored as
// JSON and taken up by another process.
type Watch struct {
	Service string  `json:"service"`
	Action  string  `json:"action"`
	Pattern Pattern `json:"pattern"`
	Region  string  `json:"region,omitempty"`
	Account string  `json:"account,omitempty"`
	RoleARN string  `json:"role_arn,omitempty"`
	// IDs are the jobs, Parent what they belong to: a cluster, an application.
	IDs    []string `json:"ids"`
	Parent string   `json:"parent,omitempty"`
	// Started is when the call was made; Looks and Failures count polls.
	Started  time.Time `json:"started"`
	Looks    int       `json:"looks,omitempty"`
	Failures int       `json:"failures,omitempty"`
}

// Progress is how a watched job stands.
type Progress struct {
	// Done tells that the state has its result, Output or Error.
	Done   bool
	Output any
	Error  *TaskError
	// Over tells, when Done is false, that nothing is left to follow: the job
	// ended well, and the state goes on waiting for its token.
	Over bool
	// Watch is to be given to the next Poll, after the wait.
	Watch Watch
	After time.Duration
}

// Defaults adds the parameters that AWS adds by itself and shows in TaskScheduled.
func Defaults(r Resource, params any) any {
	o, ok := params.(*value.Object)
	if !ok || r.Kind != Optimized || r.Service != "ecs" || r.Pattern != Sync {
		return params
	}
	if _, given := o.Get("StartedBy"); given {
		return params
	}
	o = o.Clone()
	o.Set("StartedBy", "AWS Step Functions")
	return o
}

// Recognize checks that a resource can be called: the operation of an aws-sdk
// resource is looked up in its service's model. The error's text is AWS's.
func (r *Runner) Recognize(arn string) (Resource, error) {
	res, err := Parse(arn)
	if err != nil || res.Kind != SDK {
		return res, err
	}
	if op, ok := r.cfg.Caller.Lookup(res.Service, res.Action); !ok || !strings.EqualFold(op.Name[:1], res.Action[:1]) || op.Name[1:] != res.Action[1:] {
		return res, errors.New(Unrecognized(arn))
	}
	return res, nil
}

// Start makes a task's call.
func (r *Runner) Start(ctx context.Context, t Task) (Outcome, *TaskError) {
	out, err := r.start(ctx, t)
	if err != nil {
		return Outcome{}, err
	}
	if err := r.tooLarge(&t, out.Output); err != nil {
		return Outcome{}, err
	}
	return out, nil
}

func (r *Runner) start(ctx context.Context, t Task) (Outcome, *TaskError) {
	switch t.Resource.Kind {
	case Lambda:
		return r.invokeFunction(ctx, t)
	case SDK:
		return r.callSDK(ctx, t)
	case Flow:
		return r.startFlow(ctx, t)
	case Activity:
		return Outcome{}, &TaskError{Error: errRuntime, Cause: "an activity is worked on by workers and not called"}
	case Optimized:
	}
	s, ok := serviceOf(t.Resource.Service)
	if !ok {
		return Outcome{}, &TaskError{Error: errRuntime, Cause: Unrecognized(t.Resource.ARN)}
	}
	params, ok := t.Parameters.(*value.Object)
	if !ok {
		return Outcome{}, badParameters(t.Parameters, "The Parameters must be a JSON object")
	}
	switch t.Resource.Service {
	case "lambda":
		return r.invoke(ctx, &t, s, params)
	case "ecs":
		return r.runTask(ctx, &t, s, params)
	case "apigateway":
		return r.invokeAPI(ctx, &t, params)
	case "http":
		return r.invokeHTTP(ctx, &t, params)
	case "eks":
		if t.Resource.Action == "call" {
			return r.callCluster(ctx, &t, params)
		}
		if t.Resource.Action == "runJob" {
			return r.runClusterJob(ctx, &t, params)
		}
		return r.startJob(ctx, &t, s, params)
	case "events":
		return r.putEvents(ctx, &t, s, params)
	case "states":
		return r.startExecution(ctx, &t, s, params)
	case "sqs":
		params = asTexts(params, "MessageBody")
	case "sns":
		params = asTexts(params, "Message")
	case "dynamodb":
	default:
		return r.startJob(ctx, &t, s, params)
	}
	out, _, err := r.call(ctx, &t, s, t.Resource.Action, params)
	return Outcome{Output: out}, err
}

// tooLarge refuses a result that a state may not have.
func (r *Runner) tooLarge(t *Task, output any) *TaskError {
	if r.cfg.MaxOutput < 0 || len(value.Append(nil, output)) <= r.cfg.MaxOutput {
		return nil
	}
	name := t.Resource.Service
	if t.Resource.Kind == Lambda {
		name = t.Resource.ARN
	}
	return &TaskError{
		Error: errDataLimit,
		Cause: fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", name),
	}
}

// call makes a call of an optimized integration and shows the answer as AWS does.
// The second result has the members under the service's own names.
func (r *Runner) call(ctx context.Context, t *Task, s service, operation string, params *value.Object) (*value.Object, *value.Object, *TaskError) {
	op, ok := r.cfg.Caller.Lookup(s.call, operation)
	if !ok {
		return nil, nil, &TaskError{Error: errRuntime, Cause: Unrecognized(t.Resource.ARN)}
	}
	if e := absent(op, params); e != nil {
		return nil, nil, fault(s, op, params, e)
	}
	raw, meta, err := r.cfg.Caller.Call(ctx, t.request(s.call, operation, params))
	if err != nil {
		return nil, nil, fault(s, op, params, err)
	}
	out := s.renderer().structure(op.Output, raw)
	if s.sdk != "" {
		out = withMetadata(out, meta)
	}
	return out, raw, nil
}

func (t *Task) request(service, operation string, params *value.Object) awscall.Request {
	return awscall.Request{
		Service: service, Operation: operation, Params: params, Region: t.Region, AccountID: t.Account,
		RoleARN: t.RoleARN, SessionName: sessionName(t.ExecutionName),
	}
}

// sessionName fits a name to what STS takes for a session's.
func sessionName(name string) string {
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_=,.@-", c) {
			return c
		}
		return '-'
	}, name)
	if len(clean) > 64 {
		clean = clean[:64]
	}
	if len(clean) < 2 {
		return "leat"
	}
	return clean
}

// asTexts gives members that services take as text, and that a state may give as
// JSON, their text.
func asTexts(params *value.Object, names ...string) *value.Object {
	out := params
	for _, name := range names {
		v, ok := params.Get(name)
		if _, isText := v.(string); !ok || isText || v == nil {
			continue
		}
		if out == params {
			out = params.Clone()
		}
		out.Set(name, value.String(v))
	}
	return out
}

// callSDK makes the call of an aws-sdk integration.
func (r *Runner) callSDK(ctx context.Context, t Task) (Outcome, *TaskError) {
	params, ok := t.Parameters.(*value.Object)
	if !ok {
		return Outcome{}, badParameters(t.Parameters, "The Parameters must be a JSON object")
	}
	op, ok := r.cfg.Caller.Lookup(t.Resource.Service, t.Resource.Action)
	if !ok {
		return Outcome{}, &TaskError{Error: errRuntime, Cause: Unrecognized(t.Resource.ARN)}
	}
	if e := absent(op, params); e != nil {
		return Outcome{}, fault(service{}, op, params, e)
	}
	raw, _, err := r.cfg.Caller.Call(ctx, t.request(t.Resource.Service, t.Resource.Action, params))
	if err != nil {
		return Outcome{}, fault(service{}, op, params, err)
	}
	return Outcome{Output: renderer{name: awscall.MemberName}.structure(op.Output, raw)}, nil
}

func (r *Runner) startFlow(ctx context.Context, t Task) (Outcome, *TaskError) {
	if r.cfg.Flows == nil {
		return Outcome{}, &TaskError{Error: errRuntime, Cause: "no flows can be run here"}
	}
	id, shown, err := r.cfg.Flows.StartFlow(ctx, t)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Output: shown}
	if t.Resource.Pattern == Sync {
		out.Watch = r.watch(&t, "", id)
	}
	return out, nil
}

// watch follows jobs that a task started.
func (r *Runner) watch(t *Task, parent string, ids ...string) *Watch {
	return &Watch{
		Service: t.Resource.Service, Action: t.Resource.Action, Pattern: t.Resource.Pattern, Region: t.Region,
		Account: t.Account, RoleARN: t.RoleARN, IDs: ids, Parent: parent, Started: r.cfg.Now(),
	}
}
