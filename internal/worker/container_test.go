package worker

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
)

func TestContainerOfConfiguration(t *testing.T) {
	t.Parallel()
	id := core.NewID(time.Now())
	a := &attempt{w: &Worker{cfg: Config{Name: "w", Pool: "p"}}, run: client.FlowRun{ID: id, Name: "wise owl"}}
	labels := map[string]string{
		"io.prefect.flow-run-id": id.String(), "io.prefect.flow-run-name": "wise owl", "io.prefect.worker-name": "w", "io.prefect.work-pool-name": "p",
	}
	for _, tt := range []struct {
		name          string
		configuration map[string]any
		want          launch.Container
		err           string
	}{
		{"nothing said", map[string]any{}, launch.Container{Image: "prefecthq/prefect:3-latest", Name: "wise-owl"}, ""},
		{"all said", map[string]any{
			"image": "i:1", "image_pull_policy": "Always", "network_mode": "host", "networks": []any{"a", "b"}, "volumes": []any{"/x:/y:ro"}, "auto_remove": true,
			"privileged": true, "name": "//odd name", "mem_limit": "1.5g", "memswap_limit": "-1", "registry_credentials": map[string]any{"username": "u", "password": "p", "registry_url": "r"},
		}, launch.Container{
			Image: "i:1", Pull: "Always", NetworkMode: "host", Networks: []string{"a", "b"}, Volumes: []string{"/x:/y:ro"}, Remove: true, Privileged: true, Name: "odd-name",
			Memory: 3 << 29, MemorySwap: -1, Registry: &launch.Registry{Username: "u", Password: "p", URL: "r"},
		}, ""},
		{"memory in another unit", map[string]any{"mem_limit": "5 parsecs"}, launch.Container{}, "mem_limit"},
		{"volumes that are no list", map[string]any{"volumes": "x"}, launch.Container{}, "volumes"},
		{"networks that are no texts", map[string]any{"networks": []any{1}}, launch.Container{}, "networks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := a.container(tt.configuration)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
				return
			}
			tt.want.HostAlias, tt.want.Init, tt.want.Labels = true, true, labels
			if diff := cmp.Diff(&tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestServerAsAContainerReachesIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ server, mode, want string }{
		{"http://127.0.0.1:4200/api", "", "http://host.docker.internal:4200/api"},
		{"http://localhost:4200/api", "bridge", "http://host.docker.internal:4200/api"},
		{"http://127.0.0.1:4200/api", "host", "http://127.0.0.1:4200/api"},
		{"https://leat.example.com/api", "", "https://leat.example.com/api"},
	} {
		if got := reachableURL(tt.server, tt.mode); got != tt.want {
			t.Errorf("%s in %q: %s, want %s", tt.server, tt.mode, got, tt.want)
		}
	}
	w := &Worker{cfg: Config{Containers: true, Environ: []string{"PATH=/bin", "PREFECT_LOGGING_LEVEL=DEBUG", "PREFECT_HOME=/x", "HOME=/y"}}}
	if diff := cmp.Diff([]string{"PREFECT_LOGGING_LEVEL=DEBUG"}, w.inherited()); diff != "" {
		t.Errorf("inherited (-want +got):\n%s", diff)
	}
}
