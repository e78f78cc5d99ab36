package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/core"
	engine "github.com/leat-dev/leat/internal/docker"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/launch/docker"
	"github.com/leat-dev/leat/internal/launch/ecs"
	"github.com/leat-dev/leat/internal/launch/process"
	"github.com/leat-dev/leat/internal/worker"
)

func workerCommand(env *Env) *cobra.Command {
	return group("worker", "Start a worker, which runs what is due in a work pool", workerStartCommand(env))
}

func workerStartCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "start --pool POOL", Short: "Poll a work pool and run what is due, until interrupted", Args: args(),
		Long: `Poll a work pool and run what is due, until interrupted.

Each flow run is a process of this machine, started by the command of its
deployment's job variables, or else by: python -m prefect.engine
With --type docker it is a container of the daemon that DOCKER_HOST names, made of
the image that the job variables name. With --type ecs it is a task of Amazon ECS:
region, credentials and endpoint are those of the environment, as the AWS command
line takes them, and the job variables are those of Prefect's ECS worker.
The pool is created if there is none. When the worker is interrupted, it ends the
processes under way and reports their runs as Crashed.`,
		Example: "  leat worker start --pool local\n  leat worker start --pool local --work-queue urgent --limit 4",
	}
	cmd.Flags().SortFlags = false
	pool := cmd.Flags().StringP("pool", "p", "", "the work pool to poll (needed)")
	queues := cmd.Flags().StringArrayP("work-queue", "q", nil, "a queue of the pool to poll; may be given several times (default: all)")
	name := cmd.Flags().StringP("name", "n", "", "name of this worker (default: made up)")
	kind := cmd.Flags().StringP("type", "t", "process", "what it runs flows in: "+strings.Join(launcherTypes(), ", "))
	limit := cmd.Flags().IntP("limit", "l", 0, "how many flow runs may be under way at once (0 = any number)")
	once := cmd.Flags().Bool("run-once", false, "poll once, wait for what it got, and end")
	prefetch := cmd.Flags().Int("prefetch-seconds", 10, "how long before its time a run is started")
	every := cmd.Flags().Duration("poll-every", 2*time.Second, "how often the pool is asked for runs")
	grace := cmd.Flags().Duration("grace", 30*time.Second, "how long a process may take to end when it is asked to, before it is killed")
	level := cmd.Flags().String("log-level", "info", "debug, info, warn or error (LEAT_LOG_LEVEL)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *pool == "" {
			return usagef("--pool POOL is missing; leat pool ls lists the work pools")
		}
		if *limit < 0 || *prefetch < 0 || *every <= 0 {
			return usagef("--limit and --prefetch-seconds can't be below zero, --poll-every not zero")
		}
		launcher, title, err := newLauncher(cmd.Context(), env, *kind, *grace)
		if err != nil {
			return err
		}
		if *name == "" {
			*name = title + " " + core.NewID(env.Now()).String()
		}
		if v := env.getenv("LEAT_LOG_LEVEL"); v != "" && !cmd.Flags().Changed("log-level") {
			*level = v
		}
		var least slog.Level
		if err := least.UnmarshalText([]byte(*level)); err != nil {
			return usagef("--log-level %q is not debug, info, warn or error", *level)
		}
		c, err := env.api(*name)
		if err != nil {
			return err
		}
		w, err := worker.New(worker.Config{
			Client: c, Launcher: launcher, Pool: *pool, Queues: *queues, Name: *name, Type: *kind, Containers: *kind == "docker", Tasks: *kind == "ecs", Limit: *limit,
			Prefetch: time.Duration(*prefetch) * time.Second, PollEvery: *every, Grace: *grace, Environ: env.Environ, Output: env.Stdout,
			Log: slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: least})), Now: env.Now, Version: env.Version,
			Started: func() { env.say("Worker '%s' polls work pool %s at %s", *name, *pool, c.URL()) },
		})
		if err != nil {
			return usageError{err}
		}
		run := w.Run
		if *once {
			run = w.RunOnce
		}
		if err := run(cmd.Context()); err != nil {
			return fmt.Errorf("worker %s: %w", *name, err)
		}
		env.say("Worker '%s' stopped", *name)
		return nil
	}
	return cmd
}

// newLauncher returns the launcher of a type of worker, and what its workers are
// called. A new launcher is a line here and below.
func newLauncher(ctx context.Context, env *Env, kind string, grace time.Duration) (launch.Launcher, string, error) {
	switch kind {
	case "process":
		return &process.Launcher{}, "ProcessWorker", nil
	case "docker":
		l, err := dockerLauncher(ctx, env)
		return l, "DockerWorker", err
	case "ecs":
		l, err := ecsLauncher(ctx, env, grace)
		return l, "ECSWorker", err
	}
	return nil, "", usagef("there is no launcher for type %q, only for: %s", kind, strings.Join(launcherTypes(), ", "))
}

// launcherTypes lists the types of workers that newLauncher knows.
func launcherTypes() []string { return []string{"process", "docker", "ecs"} }

// dockerLauncher returns a launcher for the daemon that DOCKER_HOST names, once
// that answers.
func dockerLauncher(ctx context.Context, env *Env) (*docker.Launcher, error) {
	c, err := engine.New(env.getenv("DOCKER_HOST"))
	if err != nil {
		return nil, err
	}
	if err := c.Ping(ctx); err != nil {
		return nil, err
	}
	return &docker.Launcher{Client: c, Output: env.Stdout, Now: env.Now, Log: slog.New(slog.NewTextHandler(env.Stderr, nil))}, nil
}

// ecsLauncher returns a launcher for the account and region that the environment
// names, as it does for all SDKs of AWS.
func ecsLauncher(ctx context.Context, env *Env, grace time.Duration) (*ecs.Launcher, error) {
	caller, err := awscall.New(awscall.Config{Now: env.Now})
	if err != nil {
		return nil, err
	}
	if region, err := caller.Region(ctx); err != nil {
		return nil, err
	} else if region == "" {
		return nil, usagef("no AWS region is configured; set AWS_REGION")
	}
	return &ecs.Launcher{Caller: caller, Output: env.Stdout, Now: env.Now, Grace: grace, Log: slog.New(slog.NewTextHandler(env.Stderr, nil))}, nil
}
