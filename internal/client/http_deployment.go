package client

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/core"
)

// Deployment reads a deployment. Prefect REST: GET /deployments/{id}.
func (c *Client) Deployment(ctx context.Context, id core.ID) (Deployment, error) {
	return get[Deployment](ctx, c, "/deployments/"+id.String())
}

// DeploymentByName reads the deployment of that name of a flow. Prefect REST: GET /deployments/name/{flow}/{deployment}.
func (c *Client) DeploymentByName(ctx context.Context, flow, name string) (Deployment, error) {
	return get[Deployment](ctx, c, "/deployments/name/"+escape(flow)+"/"+escape(name))
}

// Deployments lists deployments. Prefect REST: POST /deployments/filter.
func (c *Client) Deployments(ctx context.Context, q Query) ([]Deployment, error) {
	return post[[]Deployment](ctx, c, "/deployments/filter", q)
}

// RunDeployment creates a flow run of a deployment with parameters as JSON, nil
// for none. Prefect REST: POST /deployments/{id}/create_flow_run.
func (c *Client) RunDeployment(ctx context.Context, id core.ID, parameters map[string]json.RawMessage) (FlowRun, error) {
	body := map[string]any{}
	if len(parameters) > 0 {
		body["parameters"] = parameters
	}
	return post[FlowRun](ctx, c, "/deployments/"+id.String()+"/create_flow_run", body)
}

// PauseDeployment keeps a deployment's schedules from making runs. Prefect REST: POST /deployments/{id}/pause_deployment.
func (c *Client) PauseDeployment(ctx context.Context, id core.ID) error {
	return c.Do(ctx, http.MethodPost, "/deployments/"+id.String()+"/pause_deployment", nil, nil)
}

// ResumeDeployment lets them again. Prefect REST: POST /deployments/{id}/resume_deployment.
func (c *Client) ResumeDeployment(ctx context.Context, id core.ID) error {
	return c.Do(ctx, http.MethodPost, "/deployments/"+id.String()+"/resume_deployment", nil, nil)
}

// UpdateSchedule changes a deployment's schedule. Its parameters become those of
// the change, or none. Prefect REST: PATCH /deployments/{id}/schedules/{id}.
func (c *Client) UpdateSchedule(ctx context.Context, deployment, id core.ID, change ScheduleUpdate) error {
	return c.Do(ctx, http.MethodPatch, "/deployments/"+deployment.String()+"/schedules/"+id.String(), change, nil)
}
