package integration

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// invokeAPI is apigateway:invoke.
func (r *Runner) invokeAPI(ctx context.Context, t *Task, params *value.Object) (Outcome, *TaskError) {
	e, bad := endpointOf(params, "ApiEndpoint", "Method", "Stage", "Path", "QueryParameters", "Headers", "RequestBody", "AuthType", "AllowNullValues")
	if bad != nil {
		return Outcome{}, bad
	}
	if !strings.Contains(e.url, "://") {
		e.url = "https://" + e.url
	}
	for _, part := range []string{member(params, "Stage"), member(params, "Path")} {
		if part != "" {
			e.url = strings.TrimSuffix(e.url, "/") + "/" + strings.TrimPrefix(part, "/")
		}
	}
	if body, ok := params.Get("RequestBody"); ok && (body != nil || pick(params, "AllowNullValues") == true) {
		e.body = value.Append(nil, body)
		if e.header.Get("Content-Type") == "" {
			e.header.Set("Content-Type", "application/json")
		}
	}
	switch auth := member(params, "AuthType"); auth {
	case "", "NO_AUTH":
	case "IAM_ROLE", "RESOURCE_POLICY":
		e.prepare = func(req *http.Request, body []byte) error {
			return r.cfg.Caller.Sign(ctx, t.request("apigateway", "", nil), "execute-api", req, body)
		}
	default:
		return Outcome{}, badParameters(params, fmt.Sprintf("The value \"%s\" of the field \"AuthType\" is not supported by Step Functions", auth))
	}
	a, err := r.exchange(ctx, e)
	if err != nil {
		return Outcome{}, &TaskError{Error: "ApiGateway.SdkClientException", Cause: "Unable to execute HTTP request: " + err.Error()}
	}
	if a.status >= http.StatusBadRequest {
		return Outcome{}, &TaskError{Error: fmt.Sprintf("ApiGateway.%d", a.status), Cause: strings.ToValidUTF8(string(a.body), "\uFFFD")}
	}
	return Outcome{Output: a.shown()}, nil
}
