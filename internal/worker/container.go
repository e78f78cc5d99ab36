package worker

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/launch"
)

// defaultImage is what runs when the job's configuration names no image: the one
// that Prefect publishes with its newest version 3.
const defaultImage = "prefecthq/prefect:3-latest"

// container makes a container of a job's configuration. Prefect: the variables of
// the docker worker's base job template.
func (a *attempt) container(configuration map[string]any) (*launch.Container, error) {
	c := &launch.Container{HostAlias: true, Init: true}
	image, _ := configuration["image"].(string)
	c.Image = cmp.Or(image, defaultImage)
	c.Pull, _ = configuration["image_pull_policy"].(string)
	c.NetworkMode, _ = configuration["network_mode"].(string)
	c.Remove, _ = configuration["auto_remove"].(bool)
	c.Privileged, _ = configuration["privileged"].(bool)
	name, _ := configuration["name"].(string)
	c.Name = containerName(cmp.Or(name, a.run.Name))
	var err error
	if c.Networks, err = texts(configuration, "networks"); err != nil {
		return nil, err
	}
	if c.Volumes, err = texts(configuration, "volumes"); err != nil {
		return nil, err
	}
	if c.Memory, err = size(configuration["mem_limit"]); err != nil {
		return nil, fmt.Errorf("mem_limit: %w", err)
	}
	if c.MemorySwap, err = size(configuration["memswap_limit"]); err != nil {
		return nil, fmt.Errorf("memswap_limit: %w", err)
	}
	if registry, ok := configuration["registry_credentials"].(map[string]any); ok {
		c.Registry = &launch.Registry{Username: text(registry["username"]), Password: text(registry["password"]), URL: text(registry["registry_url"])}
	}
	c.Labels = map[string]string{
		"io.prefect.flow-run-id": a.run.ID.String(), "io.prefect.flow-run-name": a.run.Name,
		"io.prefect.worker-name": a.w.cfg.Name, "io.prefect.work-pool-name": a.w.cfg.Pool,
	}
	if labels, ok := configuration["labels"].(map[string]any); ok {
		for key, value := range labels {
			c.Labels[key] = plain(value)
		}
	}
	return c, nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// texts reads a list of strings.
func texts(configuration map[string]any, key string) ([]string, error) {
	if configuration[key] == nil {
		return nil, nil
	}
	items, ok := configuration[key].([]any)
	if !ok {
		return nil, fmt.Errorf("%s of the job's configuration is not a list", key)
	}
	var list []string
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("%s of the job's configuration does not hold texts alone", key)
		}
		list = append(list, s)
	}
	return list, nil
}

// size reads a number of bytes with one of the units b, k, m and g, as Docker
// writes limits; below zero stands for none.
func size(v any) (int64, error) {
	if v == nil {
		return 0, nil
	}
	given := strings.ToLower(strings.TrimSpace(plain(v)))
	if given == "" {
		return 0, nil
	}
	digits := strings.TrimRight(given, "bkmg")
	factor := 1.0
	switch unit := given[len(digits):]; unit {
	case "", "b":
	case "k", "kb":
		factor = 1 << 10
	case "m", "mb":
		factor = 1 << 20
	case "g", "gb":
		factor = 1 << 30
	default:
		return 0, fmt.Errorf("%q has no unit of b, k, m and g", given)
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(n) || math.Abs(n*factor) > 1<<60 {
		return 0, fmt.Errorf("%q is not a number of bytes", given)
	}
	return int64(n * factor), nil
}

// containerName makes a name that Docker takes; "" lets Docker choose.
func containerName(name string) string {
	name = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`).ReplaceAllString(name, "-")
	if name = strings.TrimLeft(name, "_.-"); len(name) < 2 {
		return ""
	}
	return name[:min(len(name), 250)]
}

// remote tells whether jobs run apart from this machine's file system and network.
func (w *Worker) remote() bool { return w.cfg.Containers || w.cfg.Tasks }

// inherited is what a job's environment begins with: all of the worker's for a
// process, but for a container or a task, which has its own, only the settings of Prefect
// that don't name places of this machine.
func (w *Worker) inherited() []string {
	if !w.remote() {
		return w.cfg.Environ
	}
	var kept []string
	for _, v := range w.cfg.Environ {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "PREFECT_") && name != "PREFECT_HOME" && name != "PREFECT_PROFILES_PATH" && name != "PREFECT_PROFILE" {
			kept = append(kept, v)
		}
	}
	return kept
}

// reachableURL is the server's address as a container reaches it: what is this
// machine to us is the host to it. Prefect's docker worker does the same.
func reachableURL(server, networkMode string) string {
	u, err := url.Parse(server)
	if err != nil || networkMode == "host" {
		return server
	}
	switch u.Hostname() {
	case "localhost", "127.0.0.1", "::1":
		u.Host = "host.docker.internal:" + cmp.Or(u.Port(), "80")
		return u.String()
	}
	return server
}
