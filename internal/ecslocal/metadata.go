package ecslocal

import (
	"net/http"
	"strconv"
	"strings"
)

// serveMetadata answers the task metadata endpoint, version 4: the container,
// /task, /taskWithTags, /stats and /task/stats. Statistics are those that every
// runtime has: the time, and no figures.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	id, what, _ := strings.Cut(strings.Trim(strings.TrimPrefix(r.URL.Path, "/v4/"), "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	st, t, c := s.findContainer(id)
	if t == nil {
		http.Error(w, "V4 container metadata handler: unable to get container ID from v3 endpoint ID: "+id, http.StatusNotFound)
		return
	}
	var out any
	switch what {
	case "":
		out = st.containerMetadata(t, c)
	case "task", "taskWithTags":
		meta := st.taskMetadata(t)
		if what == "taskWithTags" {
			tags := map[string]string{}
			for _, one := range t.Tags {
				tags[one.Key] = one.Value
			}
			meta["TaskTags"] = tags
		}
		out = meta
	case "stats":
		out = s.stats(c)
	case "task/stats":
		all := map[string]any{}
		for _, one := range t.Containers {
			all[one.RuntimeID] = s.stats(one)
		}
		out = all
	default:
		http.NotFound(w, r)
		return
	}
	writeJSON(w, "application/json", out)
}

// findContainer finds a container by the last part of its ARN.
func (s *Server) findContainer(id string) (*site, *task, *container) {
	for _, st := range s.sites {
		for _, t := range st.Tasks {
			for _, c := range t.Containers {
				if lastPart(c.ContainerArn) == id {
					return st, t, c
				}
			}
		}
	}
	return nil, nil, nil
}

// rfc is how the metadata endpoint writes times.
func rfc(e *epoch) string { return e.UTC().Format("2006-01-02T15:04:05.999999999Z") }

func (st *site) containerMetadata(t *task, c *container) map[string]any {
	family, revision, _ := strings.Cut(lastPart(t.TaskDefinitionArn), ":")
	cpu, _ := strconv.Atoi(c.CPU)
	out := map[string]any{
		"DockerId": c.RuntimeID, "Name": c.Name, "DockerName": "ecs-" + family + "-" + revision + "-" + c.Name, "Image": c.Image, "ImageID": c.ImageDigest,
		"Labels": map[string]string{
			"com.amazonaws.ecs.cluster": t.ClusterArn, "com.amazonaws.ecs.container-name": c.Name, "com.amazonaws.ecs.task-arn": t.TaskArn,
			"com.amazonaws.ecs.task-definition-family": family, "com.amazonaws.ecs.task-definition-version": revision,
		},
		"DesiredStatus": t.DesiredStatus, "KnownStatus": c.LastStatus, "Limits": map[string]any{"CPU": cpu}, "CreatedAt": rfc(t.CreatedAt),
		"Type": "NORMAL", "ContainerARN": c.ContainerArn, "Networks": networksOf(c),
	}
	if c.started != nil {
		out["StartedAt"] = rfc(c.started)
	}
	if c.finished != nil {
		out["FinishedAt"] = rfc(c.finished)
	}
	if c.ExitCode != nil {
		out["ExitCode"] = *c.ExitCode
	}
	if d := st.findDefinition(t.TaskDefinitionArn); d != nil {
		for i := range d.Containers {
			if l := d.Containers[i].LogConfiguration; d.Containers[i].Name == c.Name && l != nil {
				out["LogDriver"], out["LogOptions"] = l.LogDriver, logOptions(t, c, l)
			}
		}
	}
	return out
}

// logOptions are a log driver's options with the stream that came of them.
func logOptions(t *task, c *container, l *logConfiguration) map[string]string {
	options := map[string]string{}
	for name, value := range l.Options {
		if name != "awslogs-stream-prefix" {
			options[name] = value
			continue
		}
		options["awslogs-stream"] = value + "/" + c.Name + "/" + t.id()
	}
	return options
}

func networksOf(c *container) []map[string]any {
	if len(c.NetworkInterfaces) == 0 {
		return []map[string]any{{"NetworkMode": "bridge"}}
	}
	return []map[string]any{{"NetworkMode": "awsvpc", "IPv4Addresses": []string{c.NetworkInterfaces[0].Address}, "AttachmentIndex": 0}}
}

func (st *site) taskMetadata(t *task) map[string]any {
	family, revision, _ := strings.Cut(lastPart(t.TaskDefinitionArn), ":")
	containers := []map[string]any{}
	for _, c := range t.Containers {
		containers = append(containers, st.containerMetadata(t, c))
	}
	out := map[string]any{
		"Cluster": t.ClusterArn, "TaskARN": t.TaskArn, "Family": family, "Revision": revision, "DesiredStatus": t.DesiredStatus, "KnownStatus": t.LastStatus,
		"AvailabilityZone": t.AvailabilityZone, "Containers": containers, "VPCID": st.vpcID(),
	}
	if t.LaunchType != "" {
		out["LaunchType"] = t.LaunchType
	}
	limits := map[string]any{}
	if n, err := strconv.Atoi(t.CPU); err == nil && n > 0 {
		limits["CPU"] = float64(n) / 1024
	}
	if n, err := strconv.Atoi(t.Memory); err == nil && n > 0 {
		limits["Memory"] = n
	}
	out["Limits"] = limits
	if t.PullStartedAt != nil {
		out["PullStartedAt"] = rfc(t.PullStartedAt)
	}
	if t.PullStoppedAt != nil {
		out["PullStoppedAt"] = rfc(t.PullStoppedAt)
	}
	return out
}

// stats is a container's entry of statistics.
func (s *Server) stats(c *container) map[string]any {
	out := map[string]any{"read": rfc(at(s.cfg.Now())), "name": "/" + c.Name, "id": c.RuntimeID, "num_procs": 0}
	return out
}
