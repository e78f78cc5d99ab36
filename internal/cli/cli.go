// Package cli is leat's command line: commands, flags, output formats and exit
// codes. Everything of the outside world that it uses arrives in an Env, so that
// a test of a command is a function call.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailure = 1 // the command was understood and failed
	exitUsage   = 2 // the command line makes no sense
)

// Env is the outside world as a command sees it.
type Env struct {
	// Args are the arguments after the program's name.
	Args []string
	// LookupEnv returns an environment variable and whether it is set.
	LookupEnv func(name string) (string, bool)
	// Environ is the whole environment as name=value, for programs that leat starts.
	Environ []string
	// UserHome is the user's home directory, "" when there is none.
	UserHome string
	// Stdin, Stdout and Stderr are the standard streams.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Now reads the clock.
	Now func() time.Time
	// Version is leat's version.
	Version string
}

// Main runs the command that env's arguments name and returns the exit code: 0
// for success, 1 for failure, 2 for a command line that makes no sense.
func Main(ctx context.Context, env Env) int {
	root := rootCommand(&env)
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if exit, ok := errors.AsType[exitError](err); ok {
		return int(exit)
	}
	_, _ = fmt.Fprintf(env.Stderr, "leat: %v\n", explain(err))
	if _, ok := errors.AsType[usageError](err); !ok {
		return exitFailure
	}
	_, _ = fmt.Fprintf(env.Stderr, "See: %s --help\n", cmd.CommandPath())
	return exitUsage
}

// usageError says that a command line makes no sense.
type usageError struct{ error }

// Unwrap returns the reason.
func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitError ends the program with an exit code after the command has said all
// that there is to say.
type exitError int

// Error implements error.
func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// getenv returns the first of the variables that is set and not empty.
func (e *Env) getenv(names ...string) string {
	for _, name := range names {
		if v, ok := e.LookupEnv(name); ok && v != "" {
			return v
		}
	}
	return ""
}

// home is the directory of leat's files: LEAT_HOME, or .leat in the user's home.
func (e *Env) home() (string, error) {
	if dir := e.getenv("LEAT_HOME"); dir != "" {
		return filepath.Abs(dir)
	}
	if e.UserHome == "" {
		return "", errors.New("there is no home directory to keep files in: set LEAT_HOME")
	}
	return filepath.Join(e.UserHome, ".leat"), nil
}

// say writes a line to the standard output.
func (e *Env) say(format string, args ...any) {
	_, _ = fmt.Fprintf(e.Stdout, format+"\n", args...)
}

// note writes a line to the standard error, where it disturbs no program that
// reads the output.
func (e *Env) note(format string, args ...any) {
	_, _ = fmt.Fprintf(e.Stderr, format+"\n", args...)
}

// args makes a check of positional arguments whose failure is a usage error; the
// names are those of the arguments, all of them needed.
func args(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, given []string) error {
		switch {
		case len(given) < len(names):
			return usagef("%s is missing", names[len(given)])
		case len(given) > len(names):
			return usagef("unexpected argument %q", given[len(names)])
		}
		return nil
	}
}
