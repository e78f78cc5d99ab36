// Package process launches work as processes of this machine. Each job is a
// session and process group of its own, and all that it starts carries the run's
// id in its environment, so that its whole tree is found and ended.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/launch"
)

// marker is the variable by which a run's processes are known, whoever their
// parent has become.
const marker = "LEAT_LAUNCHED_RUN"

const (
	// lookEvery is how often it is looked whether processes are gone.
	lookEvery = 50 * time.Millisecond
	// forceTime is how long processes may take to vanish after SIGKILL; only one
	// that hangs inside the system takes longer.
	forceTime = 10 * time.Second
	// outputTime is how long output is awaited from processes that a job left behind.
	outputTime = 2 * time.Second
)

// Launcher runs jobs as processes. The zero value is ready to use.
type Launcher struct {
	works launch.Works[*work]
}

var _ launch.Launcher = (*Launcher)(nil)

// work is one run's process.
type work struct {
	launch.Work
	pid int
}

// Start implements launch.Launcher; the identifier is the process id.
func (l *Launcher) Start(ctx context.Context, job launch.Job) (string, error) {
	w := &work{Work: launch.NewWork(job.Run)}
	if before, ok := l.works.Claim(w); !ok {
		if err := before.Begun(ctx); err != nil {
			return "", err
		}
		return strconv.Itoa(before.pid), nil
	}
	if err := w.start(job); err != nil {
		l.works.Fail(w, err)
		return "", err
	}
	w.Begin()
	return strconv.Itoa(w.pid), nil
}

// start starts the process, whose end it has noted.
func (w *work) start(job launch.Job) error {
	cmd, cleanup, err := command(job)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		cleanup()
		return fmt.Errorf("start %s: %w", job.Command[0], err)
	}
	w.pid = cmd.Process.Pid
	go func() {
		exit := exitOf(cmd.Wait())
		cleanup()
		w.End(exit)
	}()
	return nil
}

// command prepares a job's process; cleanup removes its directory.
func command(job launch.Job) (cmd *exec.Cmd, cleanup func(), err error) {
	if len(job.Command) == 0 {
		return nil, nil, errors.New("the job has no command")
	}
	program, err := lookPath(job.Command[0], job.Env, job.Dir)
	if err != nil {
		return nil, nil, err
	}
	cleanup = func() {}
	dir := job.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "leat-run-"); err != nil {
			return nil, nil, fmt.Errorf("make a working directory: %w", err)
		}
		cleanup = func() { _ = os.RemoveAll(dir) }
	}
	// The process outlives whoever started it, and ends by Kill alone.
	cmd = exec.CommandContext(context.Background(), program, job.Command[1:]...)
	cmd.Args[0] = job.Command[0]
	cmd.Env = append(append([]string{}, job.Env...), marker+"="+job.Run)
	cmd.Dir, cmd.WaitDelay = dir, outputTime
	if job.Output != nil {
		cmd.Stdout, cmd.Stderr = job.Output, job.Output
	}
	cmd.SysProcAttr = ownGroup()
	return cmd, cleanup, nil
}

// lookPath finds a program in the PATH of an environment.
func lookPath(program string, env []string, dir string) (string, error) {
	if strings.ContainsRune(program, filepath.Separator) {
		if !filepath.IsAbs(program) && dir != "" {
			program = filepath.Join(dir, program)
		}
		return program, nil
	}
	path := ""
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			path = value
		}
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, program)
		if found, err := exec.LookPath(file); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("the command %q was not found in the PATH %s", program, path)
}

// exitOf translates what waiting for a process returned.
func exitOf(err error) launch.Exit {
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return launch.Exit{}
	case errors.As(err, &exit):
		return launch.Exit{Code: exitCode(exit.ProcessState)}
	}
	return launch.Exit{Unknown: true}
}

// Adopt implements launch.Launcher.
func (l *Launcher) Adopt(ctx context.Context, run, identifier string) error {
	if w, err := l.works.Find(ctx, run); err == nil && !w.Ended() {
		return nil
	}
	pid, err := strconv.Atoi(identifier)
	if err != nil || !belongs(pid, run) {
		return fmt.Errorf("%w: process %s of run %s", launch.ErrNotFound, identifier, run)
	}
	w := &work{Work: launch.NewWork(run), pid: pid}
	w.Begin()
	if _, ok := l.works.Claim(w); !ok {
		return nil
	}
	// It is not our child: nobody tells when it ends, so look.
	go func() {
		defer w.End(launch.Exit{Unknown: true})
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for belongs(pid, run) {
			<-tick.C
		}
	}()
	return nil
}

// Wait implements launch.Launcher.
func (l *Launcher) Wait(ctx context.Context, run string) (launch.Exit, error) {
	return l.works.Wait(ctx, run)
}

// Kill implements launch.Launcher: SIGTERM to the whole tree, and SIGKILL to what
// is left of it after the grace period.
func (l *Launcher) Kill(ctx context.Context, run string, grace time.Duration) error {
	w, err := l.works.Find(ctx, run)
	if err != nil {
		return err
	}
	if grace > 0 {
		signalTree(w, false)
		if gone, err := vanish(ctx, w, grace, nil); gone || err != nil {
			return err
		}
	}
	// What is started while others are killed is found by looking again.
	gone, err := vanish(ctx, w, forceTime, func() { signalTree(w, true) })
	if err == nil && !gone {
		err = fmt.Errorf("processes of run %s remain after SIGKILL: %v", run, tree(w))
	}
	return err
}

// vanish waits until no process of the run is left, and reports whether that
// came true in time; again, if any, is called before each look.
func vanish(ctx context.Context, w *work, limit time.Duration, again func()) (bool, error) {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if again != nil {
			again()
		}
		if len(tree(w)) == 0 {
			// Its end is noted a moment after the process is gone.
			_, err := w.Wait(ctx)
			return err == nil, err
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}
