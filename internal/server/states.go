package server

import (
	"net/http"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/integration"
)

// parallelCalls bounds the calls that executions have under way at once.
const parallelCalls = 256

// lateFlows are flows that are known only after what needs them.
type lateFlows struct{ integration.Flows }

// lateHandler is a handler that is known only after what needs it.
type lateHandler struct{ handler http.Handler }

// ServeHTTP implements http.Handler.
func (l *lateHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) { l.handler.ServeHTTP(w, r) }

// newCalls makes what calls services for executions. What is asked of Step
// Functions is asked of this server.
func newCalls(env Environment, inside http.Handler, flows integration.Flows) (*integration.Runner, error) {
	caller, err := awscall.New(awscall.Config{Now: env.Now, Handlers: map[string]http.Handler{"sfn": inside}})
	if err != nil {
		return nil, err
	}
	return integration.New(integration.Config{Caller: caller, Now: env.Now, MaxOutput: -1, Flows: flows})
}

// checkResource refuses resources of Task states that cannot be called.
func checkResource(calls *integration.Runner) func(resource string) error {
	return func(resource string) error {
		_, err := calls.Recognize(resource)
		return err
	}
}

// prepareTask adds the parameters that AWS adds by itself.
func prepareTask(resource string, parameters any) any {
	r, err := integration.Parse(resource)
	if err != nil {
		return parameters
	}
	return integration.Defaults(r, parameters)
}
