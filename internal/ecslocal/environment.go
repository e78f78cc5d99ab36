package ecslocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/leat-dev/leat/internal/launch"
)

// Images tells what container images run.
type Images interface {
	// Pull returns what an image runs unless a task says otherwise. Its error
	// becomes the text of a CannotPullContainerError.
	Pull(ctx context.Context, image string) (Image, error)
}

// Image is what a container image says of itself.
type Image struct {
	EntryPoint, Command []string
	// Dir is the working directory; "" leaves it to the launcher.
	Dir string
	// Host is true when containers see the file system of this machine instead of
	// one of their own.
	Host bool
	// Env is the environment, as name=value.
	Env []string
	// Digest is the digest, "" when there is none.
	Digest string
}

// jobRun is the id of a container as the launcher knows it.
func (r *taskRun) jobRun(i int) string {
	return "ecs-" + lastPart(r.task.Containers[i].ContainerArn)
}

// command is what a container runs: the entry point and command of its image, of
// its definition, of its override, the later over the earlier.
func (r *taskRun) command(i int) []string {
	d, image := &r.def.Containers[i], &r.images[i]
	entry, command := image.EntryPoint, image.Command
	if len(d.EntryPoint) > 0 {
		entry, command = d.EntryPoint, nil // as Docker does
	}
	if len(d.Command) > 0 {
		command = d.Command
	}
	if over := r.task.Overrides.of(d.Name); len(over.Command) > 0 {
		command = over.Command
	}
	return slices.Concat(entry, command)
}

// job is the work of a container: what its definition and its override say, on
// top of its image.
func (r *taskRun) job(i int, out io.Writer) (launch.Job, error) {
	d, image := &r.def.Containers[i], &r.images[i]
	over := r.task.Overrides.of(d.Name)
	argv := r.command(i)
	if len(argv) == 0 {
		return launch.Job{}, errors.New("no command specified")
	}
	job := launch.Job{Run: r.jobRun(i), Command: argv, Env: r.environment(i), Dir: image.Dir, Output: out}
	if d.WorkingDirectory != "" && (!image.Host || isDir(d.WorkingDirectory)) {
		job.Dir = d.WorkingDirectory
	}
	if !image.Host {
		job.Container = r.container(d, &over)
	}
	return job, nil
}

// container says what a container runtime needs to know besides the command.
func (r *taskRun) container(d *containerDefinition, over *containerOverride) *launch.Container {
	c := &launch.Container{Image: d.Image, User: d.User, Privileged: d.Privileged, HostAlias: true, Remove: true, Labels: map[string]string{
		"com.amazonaws.ecs.cluster": r.task.ClusterArn, "com.amazonaws.ecs.container-name": d.Name, "com.amazonaws.ecs.task-arn": r.task.TaskArn,
		"com.amazonaws.ecs.task-definition-family": r.def.Family, "com.amazonaws.ecs.task-definition-version": strconv.Itoa(r.def.Revision),
	}}
	for _, memory := range []*int{over.Memory, d.Memory} {
		if memory != nil {
			c.Memory = int64(*memory) << 20
			break
		}
	}
	if n, ok := units(r.task.Memory); ok && c.Memory == 0 {
		c.Memory = int64(n) << 20
	}
	return c
}

// environment is that of a container: what the machine gives, what the image
// sets, what ECS and this endpoint tell, what was given for all containers, the
// definition, the override.
func (r *taskRun) environment(i int) []string {
	d := &r.def.Containers[i]
	cfg := &r.server.cfg
	env := newEnvironment(cfg.BaseEnv, r.images[i].Env)
	metadata := cfg.ContainerURL + "/v4/" + lastPart(r.task.Containers[i].ContainerArn)
	for _, v := range []pair{
		{"AWS_ENDPOINT_URL", cfg.ContainerURL},
		{"AWS_ACCESS_KEY_ID", r.site.Account},
		{"AWS_SECRET_ACCESS_KEY", "leat"},
		{"AWS_REGION", r.site.Region},
		{"AWS_DEFAULT_REGION", r.site.Region},
		{"ECS_CONTAINER_METADATA_URI_V4", metadata},
		{"ECS_CONTAINER_METADATA_URI", metadata},
		{"AWS_EXECUTION_ENV", r.executionEnv()},
	} {
		env.set(v.Name, v.Value)
	}
	for _, v := range cfg.Env {
		name, value, _ := strings.Cut(v, "=")
		env.set(name, value)
	}
	for _, v := range slices.Concat(d.Environment, r.task.Overrides.of(d.Name).Environment) {
		env.set(v.Name, v.Value)
	}
	return env.list()
}

func (r *taskRun) executionEnv() string {
	if r.place.onFargate() {
		return "AWS_ECS_FARGATE"
	}
	return "AWS_ECS_EC2"
}

// environment is a list of variables in the order in which they were first set.
type environment struct {
	names  []string
	values map[string]string
}

func newEnvironment(lists ...[]string) *environment {
	e := &environment{values: map[string]string{}}
	for _, v := range slices.Concat(lists...) {
		if name, value, ok := strings.Cut(v, "="); ok {
			e.set(name, value)
		}
	}
	return e
}

func (e *environment) set(name, value string) {
	if name == "" || strings.ContainsAny(name, "=\x00") {
		return
	}
	if _, ok := e.values[name]; !ok {
		e.names = append(e.names, name)
	}
	e.values[name] = strings.ReplaceAll(value, "\x00", "")
}

func (e *environment) list() []string {
	list := make([]string, 0, len(e.names))
	for _, name := range e.names {
		list = append(list, name+"="+e.values[name])
	}
	return list
}

// lineWriter hands on what a container writes, line by line.
type lineWriter struct {
	mu   sync.Mutex
	rest []byte
	emit func(line string)
}

// maxLine is the length at which a line without an end is cut: the longest event
// that CloudWatch Logs takes.
const maxLine = 256*1024 - 26

// Write implements io.Writer.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		skip := 1
		if end < 0 && len(w.rest) >= maxLine {
			end, skip = maxLine, 0
		}
		if end < 0 {
			return len(p), nil
		}
		w.line(w.rest[:end])
		w.rest = w.rest[end+skip:]
	}
}

func (w *lineWriter) line(text []byte) {
	w.emit(strings.ToValidUTF8(strings.TrimSuffix(string(text), "\r"), "\uFFFD"))
}

// flush hands on a last line that has no end.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.line(w.rest)
		w.rest = nil
	}
}

// output is where a container writes to: its log stream, else the endpoint's own
// output. It makes the group and stream of the awslogs log driver.
func (r *taskRun) output(d *containerDefinition) (*lineWriter, error) {
	l := d.LogConfiguration
	if l == nil || l.LogDriver != "awslogs" {
		prefix := r.task.id()[:8] + "/" + d.Name
		return &lineWriter{emit: func(line string) { r.server.say(prefix, line) }}, nil
	}
	group := l.Options["awslogs-group"]
	stream := r.task.id()
	if prefix := l.Options["awslogs-stream-prefix"]; prefix != "" {
		stream = prefix + "/" + d.Name + "/" + stream
	}
	key := siteKey{r.site.Account, l.Options["awslogs-region"]}
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	st, now := s.site(key), s.cfg.Now()
	if st.Groups[group] == nil {
		if l.Options["awslogs-create-group"] != "true" {
			return nil, errors.New("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " +
				"failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1")
		}
		if err := st.makeGroup(group, nil, now); err != nil {
			return nil, fmt.Errorf("ResourceInitializationError: failed to create the log group: %w", err)
		}
	}
	if err := st.Groups[group].makeStream(stream, now); err != nil {
		return nil, fmt.Errorf("ResourceInitializationError: failed to create Cloudwatch log stream: %w", err)
	}
	return &lineWriter{emit: func(line string) {
		if line == "" {
			line = " " // events are never empty
		}
		s.appendLog(key, group, stream, line)
	}}, nil
}

// say writes a line to the endpoint's output.
func (s *Server) say(prefix, line string) {
	s.outMu.Lock()
	defer s.outMu.Unlock()
	_, _ = fmt.Fprintf(s.cfg.Output, "%s | %s\n", prefix, line)
}

// appendLog adds a line that a container wrote; a stream that was deleted
// meanwhile drops it.
func (s *Server) appendLog(key siteKey, group, stream, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.site(key)
	now := s.cfg.Now()
	if g := st.Groups[group]; g != nil && g.Streams[stream] != nil {
		s.addEvents(st, g, g.Streams[stream], []logEvent{{Time: now.UnixMilli(), Ingested: now.UnixMilli(), Message: line}})
	}
}
