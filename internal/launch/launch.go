// Package launch runs units of work, each of them the attempt to execute one
// flow run. A Launcher does it in one kind of infrastructure; whoever drives it
// knows only this interface, and every launcher passes the suite Exercise.
package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Launcher starts, watches and ends work. Its methods may be called by many
// goroutines at once.
type Launcher interface {
	// Start begins a job and returns the identifier of what runs it, which stays
	// valid for other launchers of this kind, also after a restart. Starting a run
	// that is under way starts nothing and returns the same identifier.
	Start(ctx context.Context, job Job) (identifier string, err error)
	// Adopt makes known a run that an earlier launcher started under the
	// identifier. It is ErrNotFound when that does not run it any more, or here.
	Adopt(ctx context.Context, run, identifier string) error
	// Wait returns how a run's work ended, once it has. For a run that was neither
	// started nor adopted it is ErrNotFound.
	Wait(ctx context.Context, run string) (Exit, error)
	// Kill ends a run's work with everything that it started: it asks, and after
	// the grace period it forces. It returns when nothing is left. For a run
	// that was neither started nor adopted it is ErrNotFound.
	Kill(ctx context.Context, run string, grace time.Duration) error
}

// ErrNotFound says that a launcher knows no work of a run.
var ErrNotFound = errors.New("no such work here")

// Job is the work of one flow run.
type Job struct {
	// Run is the flow run's id: no two jobs of a run are under way at once.
	Run string
	// Command is the program, looked up in the PATH of Env, and its arguments.
	Command []string
	// Env is the whole environment, as name=value.
	Env []string
	// Dir is the working directory; "" is a new one that is removed at the end.
	Dir string
	// Output receives what the program writes; nil drops it.
	Output io.Writer
	// Container is how a launcher of containers runs the program; others leave it
	// alone.
	Container *Container
	// Task is how a launcher of ECS tasks runs the program; others leave it alone.
	Task *Task
}

// Container is what there is to say of a container besides the program in it.
// Zero values leave a matter to the runtime.
type Container struct {
	// Image is the image's name.
	Image string
	// Pull says when the image is pulled: IfNotPresent (also ""), Always, Never, or
	// IfPossible, which tries and makes do with what is there.
	Pull string
	// Registry are the credentials to pull the image with; nil means none.
	Registry *Registry
	// Name is what the container is called; another is made up when it is taken.
	Name string
	// Labels are put on the container besides the launcher's own.
	Labels map[string]string
	// Networks are joined; NetworkMode is that of the first, such as host.
	Networks    []string
	NetworkMode string
	// Volumes are mounted, as HOST:CONTAINER or HOST:CONTAINER:ro.
	Volumes []string
	// Memory and MemorySwap are limits in bytes; MemorySwap below zero is none.
	Memory, MemorySwap int64
	// User runs the program.
	User string
	// Privileged gives the container all that the host may do.
	Privileged bool
	// Init puts a small first process into the container, which passes signals on
	// to the program and reaps what that leaves behind.
	Init bool
	// HostAlias makes the host known as host.docker.internal.
	HostAlias bool
	// Remove removes the container once it has ended.
	Remove bool
}

// Registry are credentials of a registry of images.
type Registry struct{ Username, Password, URL string }

// Task is what there is to say of a task of Amazon ECS besides the program in it.
type Task struct {
	// Container names the container that runs the program.
	Container string
	// Definition is a request of RegisterTaskDefinition, as JSON decodes it; it is
	// registered unless the newest of its family is the same. Nil takes the
	// definition that Request names.
	Definition map[string]any
	// Request is a request of RunTask, as JSON decodes it. The launcher adds the
	// definition, the job's command and environment, and what it finds runs again by.
	Request map[string]any
	// VPC is the one whose subnets the task is put into when Request has no network
	// configuration; "" is the account's default.
	VPC string
	// Region is where the task runs, and Role is assumed to run it there; "" leaves
	// either to the launcher's own configuration.
	Region, Role string
	// Deregister takes the definition back after the task's end if it was
	// registered for it.
	Deregister bool
}

// Exit is how work ended.
type Exit struct {
	// Code is the exit status; below zero it is the signal that ended the program.
	Code int
	// Unknown is true when the work is gone and nobody saw how it ended.
	Unknown bool
	// OutOfMemory is true when the system ended it for using too much memory.
	OutOfMemory bool
	// Reason is what the infrastructure says of the end, when it had a part in it.
	Reason string
}

// OK reports whether the program ended without complaint.
func (e Exit) OK() bool { return e.Code == 0 && !e.Unknown }

// String says in words how the work ended, and what that usually means.
func (e Exit) String() string {
	if e.Reason == "" {
		return e.words()
	}
	if e.Unknown {
		return "The work ended without an exit status: " + e.Reason
	}
	return e.words() + " The infrastructure says: " + e.Reason
}

// words are about the program alone.
func (e Exit) words() string {
	if e.Unknown {
		return "The process is gone, and nobody saw how it ended."
	}
	if e.OutOfMemory {
		return fmt.Sprintf("The process was ended because it used more memory than it may (exit status %d).", e.Code)
	}
	if e.Code >= 0 {
		return strings.TrimSpace(fmt.Sprintf("The process ended with exit status %d. %s", e.Code, statusHint(e.Code)))
	}
	return strings.TrimSpace(fmt.Sprintf("The process was ended by signal %d. %s", -e.Code, signalHint(-e.Code)))
}

// statusHint is what an exit status means by custom.
func statusHint(code int) string {
	switch code {
	case 126:
		return "The command was found but may not be executed."
	case 127:
		return "The command was not found: is it installed, and in the PATH?"
	case 137:
		return "By custom that is SIGKILL: often memory ran out."
	case 143:
		return "By custom that is SIGTERM: it was asked to stop."
	}
	return ""
}

// signalHint is where a signal usually comes from.
func signalHint(signal int) string {
	switch signal {
	case 2:
		return "That is SIGINT: it was interrupted."
	case 9:
		return "That is SIGKILL: memory ran out, or somebody killed it."
	case 11:
		return "That is SIGSEGV: the program or one of its libraries is broken."
	case 15:
		return "That is SIGTERM: it was asked to stop."
	}
	return ""
}
