// Command leat is the workflow orchestrator: server, worker and command line in
// one program.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	// Schedules name time zones, and not every machine has the database of them.
	_ "time/tzdata"

	"github.com/leat-dev/leat/internal/cli"
)

// version is set by the linker.
var version string

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the program at once, as if nobody listened.
	context.AfterFunc(ctx, stop)
	home, _ := os.UserHomeDir()
	return cli.Main(ctx, cli.Env{
		Args: os.Args[1:], LookupEnv: os.LookupEnv, Environ: os.Environ(), UserHome: home,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: time.Now, Version: versionText(),
	})
}

// versionText is the version that the linker was told, or what the Go command
// noted of the checkout.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}
