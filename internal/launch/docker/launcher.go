// Package docker launches work as Docker containers. A container carries its
// run's id as a label, by which another launcher finds it again.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/docker"
	"github.com/leat-dev/leat/internal/launch"
)

// Label is the label that names a container's run.
const Label = "dev.leat.run"

// removeLabel marks the containers that are removed once they have ended.
const removeLabel = "dev.leat.remove"

// patience is how long a call to the daemon about one container may take; only
// pulling an image takes longer.
const patience = time.Minute

// Launcher runs jobs as containers of one daemon.
type Launcher struct {
	// Client calls the daemon.
	Client *docker.Client
	// Output receives what adopted containers write; nil drops it.
	Output io.Writer
	// Log receives what goes wrong beside the work; nil drops it.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time

	works launch.Works[*work]
}

var _ launch.Launcher = (*Launcher)(nil)

// work is one run's container.
type work struct {
	launch.Work
	id     string
	remove bool
}

// Start implements launch.Launcher; the identifier is the container's id.
func (l *Launcher) Start(ctx context.Context, job launch.Job) (string, error) {
	w := &work{Work: launch.NewWork(job.Run)}
	if before, ok := l.works.Claim(w); !ok {
		if err := before.Begun(ctx); err != nil {
			return "", err
		}
		return before.id, nil
	}
	id, stream, err := l.start(ctx, job)
	if err != nil {
		l.works.Fail(w, err)
		return "", err
	}
	w.id, w.remove = id, job.Container.Remove
	w.Begin()
	go l.watch(w, stream, job.Output)
	return id, nil
}

// start makes and starts a container, unless one runs already, and returns it with
// its output.
func (l *Launcher) start(ctx context.Context, job launch.Job) (string, io.ReadCloser, error) {
	c := job.Container
	switch {
	case c == nil || c.Image == "":
		return "", nil, errors.New("the job has no image")
	case len(job.Command) == 0:
		return "", nil, errors.New("the job has no command")
	}
	running, err := l.Client.Running(ctx, Label, job.Run)
	if err != nil {
		return "", nil, err
	}
	if len(running) > 0 {
		stream, err := l.attach(ctx, running[0])
		return running[0], stream, err
	}
	if _, err := l.Image(ctx, c); err != nil {
		return "", nil, fmt.Errorf("pull %s: %w", c.Image, err)
	}
	id, err := l.create(ctx, job)
	if err != nil {
		return "", nil, fmt.Errorf("create a container of %s: %w", c.Image, err)
	}
	stream, err := l.begin(ctx, id, c)
	if err != nil {
		return "", nil, l.discard(ctx, id, err)
	}
	return id, stream, nil
}

// begin connects a container that was made, listens to it and starts it.
func (l *Launcher) begin(ctx context.Context, id string, c *launch.Container) (io.ReadCloser, error) {
	for i, network := range c.Networks {
		if i == 0 && c.NetworkMode == "" {
			continue // the container was made in it
		}
		if err := l.Client.Connect(ctx, network, id); err != nil {
			return nil, fmt.Errorf("join the network %s: %w", network, err)
		}
	}
	stream, err := l.attach(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("listen to the container: %w", err)
	}
	if err := l.Client.Start(ctx, id); err != nil {
		_ = stream.Close()
		return nil, fmt.Errorf("start the container: %w", err)
	}
	return stream, nil
}

// attach listens to a container for longer than the call that starts it takes.
func (l *Launcher) attach(ctx context.Context, id string) (io.ReadCloser, error) {
	return l.Client.Attach(context.WithoutCancel(ctx), id)
}

// discard removes a container that could not be started, and returns why.
func (l *Launcher) discard(ctx context.Context, id string, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := l.Client.Remove(ctx, id); err != nil {
		l.log().Warn("removing a container that could not be started", "container", id, "error", err)
	}
	return why
}

func (l *Launcher) log() *slog.Logger {
	if l.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Log
}

// create makes a job's container; a name that is taken gets a number.
func (l *Launcher) create(ctx context.Context, job launch.Job) (string, error) {
	c := job.Container
	labels := map[string]string{Label: job.Run}
	if c.Remove {
		labels[removeLabel] = "true"
	}
	maps.Copy(labels, c.Labels)
	spec := &docker.Spec{
		Image: c.Image, Entrypoint: job.Command[:1], Cmd: job.Command[1:], Env: job.Env, WorkingDir: job.Dir, User: c.User, Labels: labels,
		HostConfig: docker.HostConfig{
			Binds: c.Volumes, NetworkMode: c.NetworkMode, Memory: c.Memory, MemorySwap: c.MemorySwap, Privileged: c.Privileged, Init: c.Init,
		},
	}
	if spec.HostConfig.NetworkMode == "" && len(c.Networks) > 0 {
		spec.HostConfig.NetworkMode = c.Networks[0]
	}
	if c.HostAlias && c.NetworkMode != "host" {
		spec.HostConfig.ExtraHosts = []string{"host.docker.internal:host-gateway"}
	}
	name := c.Name
	for i := 1; ; i++ {
		id, err := l.Client.Create(ctx, name, spec)
		if c.Name == "" || i > 1000 || !docker.IsStatus(err, http.StatusConflict) {
			return id, err
		}
		name = fmt.Sprintf("%s-%d", c.Name, i)
	}
}

// Image returns a container's image, and pulls it when its policy says so.
func (l *Launcher) Image(ctx context.Context, c *launch.Container) (docker.Image, error) {
	var auth docker.Auth
	if c.Registry != nil {
		auth = docker.Auth{Username: c.Registry.Username, Password: c.Registry.Password, ServerAddress: c.Registry.URL}
	}
	if c.Pull != "Always" && c.Pull != "IfPossible" {
		image, err := l.Client.Image(ctx, c.Image)
		if c.Pull == "Never" || !docker.IsNotFound(err) {
			return image, err
		}
	}
	err := l.Client.Pull(ctx, c.Image, auth)
	if err != nil && c.Pull != "IfPossible" {
		return docker.Image{}, err
	}
	image, missing := l.Client.Image(ctx, c.Image)
	if missing != nil && err != nil {
		return image, err
	}
	return image, missing
}

// watch copies a container's output and notes how it ended.
func (l *Launcher) watch(w *work, stream io.ReadCloser, out io.Writer) {
	var exit launch.Exit
	defer func() { w.End(exit) }()
	if out == nil {
		out = io.Discard
	}
	ctx := context.Background() // the container outlives whoever started it
	status := make(chan waited, 1)
	go func() {
		code, err := l.Client.Wait(ctx, w.id)
		status <- waited{code, err}
	}()
	l.copy(ctx, w, stream, out)
	ended := <-status
	if ended.err != nil {
		// The daemon was restarted while we waited.
		ended.code, ended.err = l.Client.Wait(ctx, w.id)
	}
	if ended.err != nil {
		exit = launch.Exit{Unknown: true}
		return
	}
	exit.Code = ended.code
	// Another launcher may have removed it: then nobody says more.
	if found, err := l.Client.Inspect(ctx, w.id); err == nil {
		exit.OutOfMemory = found.State.OOMKilled
	}
	if w.remove {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := l.Client.Remove(ctx, w.id); err != nil && !docker.IsNotFound(err) && !docker.IsStatus(err, http.StatusConflict) {
			l.log().Warn("removing a container that has ended", "container", w.id, "error", err)
		}
	}
}

// waited is what waiting for a container gave.
type waited struct {
	code int
	err  error
}

// copy copies a container's output until it ends. Containers may outlive a
// restart of the daemon, so that a broken connection is made again.
func (l *Launcher) copy(ctx context.Context, w *work, stream io.ReadCloser, out io.Writer) {
	for range 100 {
		err := docker.Copy(out, stream)
		_ = stream.Close()
		if err == nil {
			return
		}
		broken := l.Now()
		if !rest(ctx) {
			return
		}
		if stream, err = l.Client.Follow(ctx, w.id, broken); err != nil {
			return
		}
	}
}

// rest gives the daemon time to come back, and reports whether to go on.
func rest(ctx context.Context) bool {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Adopt implements launch.Launcher.
func (l *Launcher) Adopt(ctx context.Context, run, identifier string) error {
	found, err := l.Client.Inspect(ctx, identifier)
	switch {
	case docker.IsNotFound(err) || docker.IsStatus(err, http.StatusBadRequest):
		return fmt.Errorf("%w: container %s of run %s", launch.ErrNotFound, identifier, run)
	case err != nil:
		return err
	case found.Config.Labels[Label] != run || !found.State.Running:
		return fmt.Errorf("%w: container %s of run %s", launch.ErrNotFound, identifier, run)
	}
	stream, err := l.attach(ctx, found.ID)
	if err != nil {
		return err
	}
	w := &work{Work: launch.NewWork(run), id: found.ID, remove: found.Config.Labels[removeLabel] == "true"}
	w.Begin()
	if _, ok := l.works.Claim(w); !ok {
		return stream.Close()
	}
	go l.watch(w, stream, l.Output)
	return nil
}

// Wait implements launch.Launcher.
func (l *Launcher) Wait(ctx context.Context, run string) (launch.Exit, error) {
	return l.works.Wait(ctx, run)
}

// Kill implements launch.Launcher: SIGTERM to the container's first process, and
// after the grace period SIGKILL, which takes all that is in the container.
func (l *Launcher) Kill(ctx context.Context, run string, grace time.Duration) error {
	w, err := l.works.Find(ctx, run)
	if err != nil {
		return err
	}
	if w.Ended() {
		return nil
	}
	if grace > 0 {
		if err := l.signal(ctx, w, "SIGTERM"); err != nil {
			return err
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-w.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	if err := l.signal(ctx, w, "SIGKILL"); err != nil {
		return err
	}
	_, err = w.Wait(ctx)
	return err
}

// signal sends a signal; that the container has ended is no error.
func (l *Launcher) signal(ctx context.Context, w *work, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := l.Client.Signal(ctx, w.id, name)
	if docker.IsNotFound(err) || docker.IsStatus(err, http.StatusConflict) {
		return nil
	}
	return err
}
