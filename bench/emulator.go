package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Programs that answer as Step Functions does. Both keep all in memory.
const (
	localStack = "localstack"
	moto       = "moto"
)

// emulators lists them in the order of the report's columns.
func emulators() []string { return []string{localStack, moto} }

func emulates(product string) bool { return product == localStack || product == moto }

// emulator is where one of them is installed.
type emulator struct {
	python  string
	version string
	// missing says why it cannot be measured; "" if it can.
	missing string
}

// distribution is a product's name in the package index.
func distribution(product string) string {
	if product == localStack {
		return "localstack-core"
	}
	return "moto"
}

// title is a product's name as its makers write it.
func title(product string) string {
	if product == localStack {
		return "LocalStack"
	}
	return product
}

// findEmulator asks a Python which version of the product it has.
func findEmulator(ctx context.Context, product, python string) emulator {
	if python == "" || python == "none" {
		return emulator{missing: "not measured: name its Python by -" + product}
	}
	const question = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
	out, err := exec.CommandContext(ctx, python, "-c", question, distribution(product)).Output() //nolint:gosec // the program is the user's choice
	if err != nil {
		reason := err.Error()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
			reason = lines[len(lines)-1]
		}
		return emulator{missing: "not installed: " + python + ": " + reason}
	}
	return emulator{python: python, version: strings.TrimSpace(string(out))}
}

// emulatorPython is the Python that has the product: that of the environment's
// variable, else the one that scripts/bench-emulators.sh makes, else "".
func emulatorPython(product string) string {
	if python := os.Getenv("LEAT_BENCH_" + strings.ToUpper(product)); python != "" {
		return python
	}
	python := filepath.Join(".cache", "bench", product, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return ""
	}
	return python
}

// emulatorCommand starts LocalStack without Docker and with Step Functions
// alone, or moto's server, quietly and with their files in the server's folder.
func (b *bench) emulatorCommand(ctx context.Context, s *server, port string) *exec.Cmd {
	python := b.emulators[s.product].python
	env := append(cleanEnvironment(), "HOME="+s.dir, "TMPDIR="+s.dir)
	if s.product == moto {
		cmd := exec.CommandContext(ctx, python, "-m", "moto.server", "-H", "127.0.0.1", "-p", port) //nolint:gosec // the program is the user's choice
		cmd.Env = env
		return cmd
	}
	cmd := exec.CommandContext(ctx, python, "-m", "localstack.runtime.main") //nolint:gosec // the program is the user's choice
	cmd.Env = append(env, "GATEWAY_LISTEN="+net.JoinHostPort("127.0.0.1", port), "SERVICES=stepfunctions", "EAGER_SERVICE_LOADING=1",
		"DISABLE_EVENTS=1", "SKIP_SSL_CERT_DOWNLOAD=1", "DNS_ADDRESS=0", "LS_LOG=warning")
	return cmd
}

// emulatorAnswers tells whether an emulator is ready. moto is also told to run
// state machines: without that it only notes their executions.
func (s *server) emulatorAnswers(ctx context.Context, c *conn) bool {
	if s.product == localStack {
		_, err := c.ask(ctx, http.MethodGet, "/_localstack/health", "", nil, http.StatusOK)
		return err == nil
	}
	_, err := c.ask(ctx, http.MethodPost, "/moto-api/config", "Content-Type: application/json\r\n",
		[]byte(`{"stepfunctions":{"execute_state_machine":true}}`), http.StatusCreated)
	return err == nil
}
