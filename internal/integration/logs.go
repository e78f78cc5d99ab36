package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// LogLine is one record of a log.
type LogLine struct {
	Time    time.Time
	Message string
}

// LogStream is the stream of a log group into which the events of a machine's
// executions go. It is made when the first of them comes. One goroutine uses it.
type LogStream struct {
	runner                 *Runner
	region, account, group string
	// name is "states/" and the machine's ARN. CloudWatch itself takes no colons in
	// names: where they are refused, other is the name.
	name, other string
	// made: the stream was made or found.
	made bool
}

// LogStream returns the stream of a machine in the log group with the ARN.
func (r *Runner) LogStream(groupARN, machineARN string) (*LogStream, error) {
	parts := strings.SplitN(groupARN, ":", 7)
	if len(parts) != 7 || parts[0] != "arn" || parts[2] != "logs" || parts[5] != "log-group" {
		return nil, fmt.Errorf("%s is no ARN of a log group", groupARN)
	}
	machine := machineARN[strings.LastIndexByte(machineARN, ':')+1:]
	id := strings.ReplaceAll(awscall.NewID(), "-", "")[:8]
	return &LogStream{
		runner: r, region: parts[3], account: parts[4], group: strings.TrimSuffix(parts[6], ":*"), name: "states/" + machineARN,
		other: fmt.Sprintf("states/%s/%s/%s", machine, r.cfg.Now().UTC().Format("2006-01-02-15-04"), id),
	}, nil
}

// Put appends lines, which must be in the order of their times and within what
// one call of PutLogEvents takes.
func (s *LogStream) Put(ctx context.Context, lines []LogLine) error {
	list := make([]any, len(lines))
	for i, l := range lines {
		list[i] = value.Of("timestamp", l.Time.UnixMilli(), "message", l.Message)
	}
	for range 2 {
		if !s.made {
			if err := s.create(ctx); err != nil {
				return err
			}
			s.made = true
		}
		err := s.call(ctx, "putLogEvents", value.Of("logGroupName", s.group, "logStreamName", s.name, "logEvents", list))
		if !refusedAs(err, "ResourceNotFoundException") {
			return err
		}
		s.made = false // somebody deleted it
	}
	return fmt.Errorf("the stream %s of %s is deleted again and again", s.name, s.group)
}

// create makes the stream.
func (s *LogStream) create(ctx context.Context) error {
	err := s.call(ctx, "createLogStream", value.Of("logGroupName", s.group, "logStreamName", s.name))
	if refusedAs(err, "InvalidParameterException") && s.other != "" {
		s.name, s.other = s.other, ""
		err = s.call(ctx, "createLogStream", value.Of("logGroupName", s.group, "logStreamName", s.name))
	}
	if refusedAs(err, "ResourceAlreadyExistsException") {
		return nil
	}
	return err
}

func (s *LogStream) call(ctx context.Context, operation string, params *value.Object) error {
	_, _, err := s.runner.cfg.Caller.Call(ctx, awscall.Request{
		Service: "cloudwatchlogs", Operation: operation, Params: params, Region: s.region, AccountID: s.account,
	})
	return err
}

func refusedAs(err error, code string) bool {
	var refusal *awscall.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

// Refused reports whether a service refused a call for good: the same call
// would be refused again.
func Refused(err error) bool {
	var refusal *awscall.Error
	return errors.As(err, &refusal) && refusal.Client && refusal.Status != 429 && !strings.Contains(refusal.Code, "Throttl")
}
