package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/ecslocal"
	"github.com/leat-dev/leat/internal/launch/process"
)

// ecsOptions are the flags of leat ecs-local.
type ecsOptions struct {
	host, runner, account, region, data, level string
	port                                       int
	maps, env, faults                          []string
	stage, stop                                time.Duration
}

func ecsLocalCommand(env *Env) *cobra.Command {
	o := &ecsOptions{}
	cmd := &cobra.Command{
		Use: "ecs-local", Short: "Answer the AWS calls for ECS and run its tasks on this machine", Args: args(),
		Long: `Answer the AWS calls for ECS and run its tasks on this machine, until interrupted.

SDKs and the aws command line use it when AWS_ENDPOINT_URL names it. Tasks run as
processes, or as Docker containers (--runner docker), through the lifecycle that
they have on AWS. ECS, CloudWatch Logs, SQS, EventBridge, STS and the default VPC
of EC2 are imitated as far as clients of ECS need them; IAM, networks, load
balancers, health checks, secrets and other services are not.

As a process, a task ignores its image and runs its command. --map says what an
image stands for when the task has no command of its own:

  --map 'my-app=./assets/ecs'                   a directory; its Dockerfile has the command
  --map 'my-app=./assets/ecs:python app.py'     a directory and the command
  --map '*/cdk-*=.:python app.py'               * matches anything, slashes too

Faults: ` + strings.Join(ecslocal.FaultNames(), ", ") + `.`,
		Example: "  leat ecs-local\n  export AWS_ENDPOINT_URL=http://127.0.0.1:4599 AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=000000000000 AWS_SECRET_ACCESS_KEY=any\n" +
			"  aws ecs create-cluster --cluster-name demo\n\n  leat ecs-local --map '*=./assets/ecs:python app.py' --env AWS_ENDPOINT_URL_SFN=http://127.0.0.1:4200",
		RunE: func(cmd *cobra.Command, _ []string) error { return runECSLocal(cmd.Context(), env, o) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.host, "host", "127.0.0.1", "address to listen on; whoever reaches it can run programs here")
	flags.IntVar(&o.port, "port", 4599, "port to listen on (0 = any free one)")
	flags.StringVar(&o.runner, "runner", "process", "what containers are: process or docker")
	flags.StringArrayVar(&o.maps, "map", nil, "IMAGE=DIR or IMAGE=DIR:COMMAND, what an image is for the runner process; may be given several times")
	flags.StringArrayVar(&o.env, "env", nil, "NAME=VALUE for every container; may be given several times")
	flags.StringVar(&o.data, "data", "", "directory to keep everything in (default: it is forgotten at the end)")
	flags.StringVar(&o.account, "account", "000000000000", "account of requests whose access key is not an account's number")
	flags.StringVar(&o.region, "region", "us-east-1", "region of requests that name none")
	flags.StringArrayVar(&o.faults, "fault", nil, "NAME=VALUE, trouble from the start on; may be given several times")
	flags.DurationVar(&o.stage, "stage-time", 100*time.Millisecond, "how long a task stays at least in PROVISIONING, PENDING, DEACTIVATING and DEPROVISIONING")
	flags.DurationVar(&o.stop, "stop-timeout", 30*time.Second, "time between SIGTERM and SIGKILL of containers that set no stopTimeout")
	flags.StringVar(&o.level, "log-level", "info", "debug, info, warn or error (LEAT_LOG_LEVEL)")
	cmd.AddCommand(ecsLocalFaultsCommand(env))
	return cmd
}

// config makes the endpoint's configuration of the flags.
func (o *ecsOptions) config(ctx context.Context, env *Env) (ecslocal.Config, error) {
	cfg := ecslocal.Config{
		Account: o.account, Region: o.region, Data: o.data, Env: o.env, StageTime: o.stage, StopTimeout: o.stop, Output: env.Stdout, Now: env.Now,
	}
	if v := env.getenv("LEAT_LOG_LEVEL"); v != "" && o.level == "info" {
		o.level = v
	}
	var least slog.Level
	if err := least.UnmarshalText([]byte(o.level)); err != nil {
		return cfg, usagef("--log-level %q is not debug, info, warn or error", o.level)
	}
	cfg.Log = slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: least}))
	if len(o.account) != 12 || strings.Trim(o.account, "0123456789") != "" {
		return cfg, usagef("--account %q is not a number of 12 digits", o.account)
	}
	if o.stage <= 0 || o.stop <= 0 {
		return cfg, usagef("--stage-time and --stop-timeout must be above zero")
	}
	for _, v := range o.env {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			return cfg, usagef("--env %q is not NAME=VALUE", v)
		}
	}
	for _, f := range o.faults {
		if err := cfg.Faults.Set(f); err != nil {
			return cfg, usagef("--fault: %w", err)
		}
	}
	switch o.runner {
	case "process":
		images := ecslocal.ProcessImages{}
		for _, text := range o.maps {
			m, err := ecslocal.ParseImageMap(text)
			if err != nil {
				return cfg, usagef("--map: %w", err)
			}
			images.Maps = append(images.Maps, m)
		}
		cfg.Images, cfg.Launcher, cfg.BaseEnv = images, &process.Launcher{}, ownEnvironment(env.Environ)
	case "docker":
		l, err := dockerLauncher(ctx, env)
		if err != nil {
			return cfg, err
		}
		if len(o.maps) > 0 {
			return cfg, usagef("--map is for the runner process; Docker has images of its own")
		}
		cfg.Images, cfg.Launcher = dockerImages{l}, l
	default:
		return cfg, usagef("there is no runner %q, only process and docker", o.runner)
	}
	return cfg, nil
}

// ownEnvironment is what tasks that are processes inherit: all but the settings
// of AWS, ECS, Prefect and leat itself, which would lead them astray.
func ownEnvironment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		return slices.ContainsFunc([]string{"AWS_", "ECS_", "PREFECT_", "LEAT_"}, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	})
}

// runECSLocal serves until ctx ends, and then ends the tasks.
func runECSLocal(ctx context.Context, env *Env, o *ecsOptions) error {
	cfg, err := o.config(ctx, env)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", net.JoinHostPort(o.host, strconv.Itoa(o.port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	cfg.URL = "http://" + reachable(listener.Addr().String())
	if addr, ok := listener.Addr().(*net.TCPAddr); ok {
		cfg.LocalNames = addr.IP.IsLoopback()
	}
	listeners := []net.Listener{listener}
	if images, ok := cfg.Images.(dockerImages); ok {
		var more net.Listener
		if cfg.ContainerURL, more, err = images.reach(ctx, listener.Addr().(*net.TCPAddr)); err != nil {
			_ = listener.Close()
			return err
		}
		if more != nil {
			listeners = append(listeners, more)
		}
	}
	s, err := ecslocal.New(cfg)
	if err != nil {
		for _, l := range listeners {
			_ = l.Close()
		}
		return err
	}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	served := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { served <- srv.Serve(l) }()
	}
	sayECSLocal(env, o, cfg.URL)
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	// The tasks end first: until then they can reach what they were given.
	err = errors.Join(err, s.Close(ending))
	_ = srv.Shutdown(ending)
	return err
}

// sayECSLocal says what there is, and what not.
func sayECSLocal(env *Env, o *ecsOptions, url string) {
	env.say("Local ECS listens on %s", url)
	env.say("Use it:       export AWS_ENDPOINT_URL=%s AWS_REGION=%s AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=any", url, o.region, o.account)
	if o.runner == "docker" {
		env.say("Tasks:        run as Docker containers")
	} else {
		env.say("Tasks:        run as processes of this machine, with your rights; their images are not pulled")
	}
	if o.data == "" {
		env.say("State:        in memory, forgotten at the end; --data DIR keeps it")
	} else {
		env.say("State:        kept in %s", o.data)
	}
	env.say("Not imitated: IAM and signatures, networks and security groups, load balancers, health checks, secrets, volumes,")
	env.say("              container instances, CPU limits; any other service")
	env.say("Stop it:      Ctrl-C, which ends the tasks too")
}
