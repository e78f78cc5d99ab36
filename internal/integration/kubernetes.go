package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// kubernetes is the API of a cluster of EKS, as eks:call and eks:runJob name it.
// It is made of plain fields, so that a Watch can hold it.
type kubernetes struct {
	Cluster   string `json:"cluster"`
	Endpoint  string `json:"endpoint"`
	Authority string `json:"authority"` // certificates in PEM, in base64
	Namespace string `json:"namespace,omitempty"`
	Logs      bool   `json:"logs,omitempty"`
	// LogQuery are the parameters of the request for logs.
	LogQuery string `json:"log_query,omitempty"`
}

func clusterOf(params *value.Object) (kubernetes, *TaskError) {
	k := kubernetes{Cluster: member(params, "ClusterName"), Endpoint: member(params, "Endpoint"), Authority: member(params, "CertificateAuthority")}
	for name, v := range map[string]string{"ClusterName": k.Cluster, "Endpoint": k.Endpoint, "CertificateAuthority": k.Authority} {
		if v == "" {
			return k, badParameters(params, required(name))
		}
	}
	return k, nil
}

// ask sends a request to the cluster with a token of EKS: an address of STS that
// tells who we are.
func (r *Runner) ask(ctx context.Context, who awscall.Request, k *kubernetes, method, path string, query url.Values, body []byte) (*reply, error) {
	identity, err := r.cfg.Caller.PresignIdentity(ctx, who, "x-k8s-aws-id", k.Cluster)
	if err != nil {
		return nil, err
	}
	pem, err := base64.StdEncoding.DecodeString(k.Authority)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the certificate authority holds no certificate")
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	e := &endpoint{
		method: method, url: strings.TrimSuffix(k.Endpoint, "/") + "/" + strings.TrimPrefix(path, "/"), query: query, body: body,
		header: http.Header{"Authorization": {"Bearer k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(identity))}},
	}
	if len(body) > 0 {
		e.header.Set("Content-Type", "application/json")
	}
	return exchangeBy(ctx, &http.Client{Transport: transport, Timeout: time.Minute}, e)
}

// askFor does so for a state, and makes an error of a refusal.
func (r *Runner) askFor(ctx context.Context, who awscall.Request, k *kubernetes, method, path string, query url.Values, body []byte) (*reply, *TaskError) {
	a, err := r.ask(ctx, who, k, method, path, query, body)
	if err != nil {
		return nil, &TaskError{Error: "EKS.SdkClientException", Cause: "Unable to execute HTTP request: " + err.Error()}
	}
	if a.status >= http.StatusBadRequest {
		return nil, &TaskError{Error: fmt.Sprintf("EKS.%d", a.status), Cause: strings.ToValidUTF8(string(a.body), "\uFFFD")}
	}
	return a, nil
}

// callCluster is eks:call.
func (r *Runner) callCluster(ctx context.Context, t *Task, params *value.Object) (Outcome, *TaskError) {
	k, bad := clusterOf(params)
	if bad != nil {
		return Outcome{}, bad
	}
	query := url.Values{}
	if bad := texts(params, "QueryParameters", func(key, text string) { query.Add(key, text) }); bad != nil {
		return Outcome{}, bad
	}
	var body []byte
	if v, ok := params.Get("RequestBody"); ok && v != nil {
		body = value.Append(nil, v)
	}
	method := member(params, "Method")
	if method == "" {
		return Outcome{}, badParameters(params, required("Method"))
	}
	a, failure := r.askFor(ctx, t.request("sts", "", nil), &k, strings.ToUpper(method), member(params, "Path"), query, body)
	if failure != nil {
		return Outcome{}, failure
	}
	return Outcome{Output: a.shown()}, nil
}

// runClusterJob is eks:runJob: a Job of Kubernetes, and its logs if the state
// wants them.
func (r *Runner) runClusterJob(ctx context.Context, t *Task, params *value.Object) (Outcome, *TaskError) {
	k, bad := clusterOf(params)
	if bad != nil {
		return Outcome{}, bad
	}
	j, _ := pick(params, "Job").(*value.Object)
	if j == nil {
		return Outcome{}, badParameters(params, required("Job"))
	}
	if k.Namespace = member(params, "Namespace"); k.Namespace == "" {
		k.Namespace = "default"
	}
	if options, ok := pick(params, "LogOptions").(*value.Object); ok {
		k.Logs = pick(options, "RetrieveLogs") == true
		query := url.Values{}
		if bad := texts(options, "LogParameters", func(key, text string) { query.Add(key, text) }); bad != nil {
			return Outcome{}, bad
		}
		k.LogQuery = query.Encode()
	}
	path := "apis/batch/v1/namespaces/" + url.PathEscape(k.Namespace) + "/jobs"
	a, failure := r.askFor(ctx, t.request("sts", "", nil), &k, http.MethodPost, path, nil, value.Append(nil, j))
	if failure != nil {
		return Outcome{}, failure
	}
	out := Outcome{Output: a.shown()}
	if t.Resource.Pattern == RequestResponse {
		return out, nil
	}
	name, _ := walk("metadata.name", parsedBody(a)).(string)
	held, err := json.Marshal(k)
	if err != nil || name == "" {
		return Outcome{}, &TaskError{Error: errTaskFailed, Cause: string(a.body)}
	}
	out.Watch = r.watch(t, string(held), name)
	return out, nil
}

// pollClusterJob looks at a Job of Kubernetes.
func (r *Runner) pollClusterJob(ctx context.Context, w Watch) Progress {
	var k kubernetes
	if err := json.Unmarshal([]byte(w.Parent), &k); err != nil || len(w.IDs) == 0 {
		return w.broken()
	}
	namespace := url.PathEscape(k.Namespace)
	a, err := r.ask(ctx, w.request("sts", "", nil), &k, http.MethodGet, "apis/batch/v1/namespaces/"+namespace+"/jobs/"+url.PathEscape(w.IDs[0]), nil, nil)
	if err != nil || a.status >= http.StatusInternalServerError {
		return w.again(jobWait(w.Looks))
	}
	if a.status >= http.StatusBadRequest {
		if w.Failures++; w.Failures < maxFailedLooks {
			return w.again(jobWait(w.Looks))
		}
		return Progress{Done: true, Watch: w, Error: &TaskError{Error: fmt.Sprintf("EKS.%d", a.status), Cause: string(a.body)}}
	}
	status, _ := walk("status", parsedBody(a)).(*value.Object)
	complete, failed := conditions(status)
	if !complete && !failed {
		w.Failures = 0
		return w.again(jobWait(w.Looks))
	}
	out := value.Of("status", status)
	if k.Logs {
		out.Set("logs", r.jobLogs(ctx, &w, &k))
	}
	if failed {
		return Progress{Done: true, Watch: w, Error: &TaskError{Error: errTaskFailed, Cause: value.String(out)}}
	}
	return Progress{Done: true, Watch: w, Output: out}
}

func conditions(status *value.Object) (complete, failed bool) {
	if status == nil {
		return false, false
	}
	list, _ := pick(status, "conditions").([]any)
	for _, v := range list {
		c, _ := v.(*value.Object)
		if c == nil || member(c, "status") != "True" {
			continue
		}
		switch member(c, "type") {
		case "Complete":
			complete = true
		case "Failed":
			failed = true
		}
	}
	return complete, failed
}

// jobLogs reads the logs of a Job's containers, by pod. One that cannot be read
// says why in place of its log.
func (r *Runner) jobLogs(ctx context.Context, w *Watch, k *kubernetes) *value.Object {
	pods := value.NewObject(1)
	base := "api/v1/namespaces/" + url.PathEscape(k.Namespace) + "/pods"
	a, err := r.ask(ctx, w.request("sts", "", nil), k, http.MethodGet, base, url.Values{"labelSelector": {"job-name=" + w.IDs[0]}}, nil)
	if err != nil {
		return value.Of("pods", pods, "error", err.Error())
	}
	list, _ := walk("items", parsedBody(a)).([]any)
	for _, pod := range list {
		name, _ := walk("metadata.name", pod).(string)
		containers := value.NewObject(1)
		specs, _ := walk("spec.containers", pod).([]any)
		for _, spec := range specs {
			o, _ := spec.(*value.Object)
			query, _ := url.ParseQuery(k.LogQuery) // it was encoded here
			query.Set("container", member(o, "name"))
			key, text := "log", ""
			if a, err := r.ask(ctx, w.request("sts", "", nil), k, http.MethodGet, base+"/"+url.PathEscape(name)+"/log", query, nil); err != nil {
				key, text = "error", err.Error()
			} else {
				text = strings.ToValidUTF8(string(a.body), "\uFFFD")
			}
			containers.Set(member(o, "name"), value.Of(key, text))
		}
		pods.Set(name, value.Of("containers", containers))
	}
	return value.Of("pods", pods)
}

// stopClusterJob deletes a Job and its pods.
func (r *Runner) stopClusterJob(ctx context.Context, w *Watch, name string) error {
	var k kubernetes
	if err := json.Unmarshal([]byte(w.Parent), &k); err != nil {
		return fmt.Errorf("read where a job runs: %w", err)
	}
	path := "apis/batch/v1/namespaces/" + url.PathEscape(k.Namespace) + "/jobs/" + url.PathEscape(name)
	_, err := r.ask(ctx, w.request("sts", "", nil), &k, http.MethodDelete, path, url.Values{"propagationPolicy": {"Background"}}, nil)
	return err
}
