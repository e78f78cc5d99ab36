package integration

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// invokeHTTP is http:invoke: any endpoint, with the authorization of an
// EventBridge connection.
func (r *Runner) invokeHTTP(ctx context.Context, t *Task, params *value.Object) (Outcome, *TaskError) {
	e, bad := endpointOf(params, "ApiEndpoint", "Method", "Authentication", "InvocationConfig", "Headers", "QueryParameters", "RequestBody", "Transform")
	if bad != nil {
		return Outcome{}, bad
	}
	connection := ""
	for _, name := range []string{"Authentication", "InvocationConfig"} {
		if o, ok := pick(params, name).(*value.Object); ok && connection == "" {
			connection = member(o, "ConnectionArn")
		}
	}
	if connection == "" {
		return Outcome{}, badParameters(params, required("ConnectionArn"))
	}
	body, bad := requestBody(params, e)
	if bad != nil {
		return Outcome{}, bad
	}
	witness := witnessOf(ctx)
	public := witness.before(e)
	if bad := r.authorize(ctx, t, connection, e, body); bad != nil {
		return Outcome{}, bad
	}
	a, err := r.exchange(ctx, e)
	witness.told(public, a)
	if err != nil {
		return Outcome{}, &TaskError{Error: "States.Http.Socket", Cause: err.Error()}
	}
	if a.status >= http.StatusMultipleChoices {
		return Outcome{}, &TaskError{Error: fmt.Sprintf("States.Http.StatusCode.%d", a.status), Cause: strings.ToValidUTF8(string(a.body), "\uFFFD")}
	}
	return Outcome{Output: a.shown()}, nil
}

// requestBody prepares the body: JSON, or a form if the state asks for it. An
// object is returned, too, for the parameters that a connection adds.
func requestBody(params *value.Object, e *endpoint) (*value.Object, *TaskError) {
	body, ok := params.Get("RequestBody")
	if !ok || body == nil {
		return nil, nil
	}
	object, _ := body.(*value.Object)
	if transform, ok := pick(params, "Transform").(*value.Object); ok && member(transform, "RequestBodyEncoding") == "URL_ENCODED" {
		if object == nil {
			return nil, badParameters(params, "The field \"RequestBody\" must be a JSON object to be encoded as URL_ENCODED")
		}
		options, _ := pick(transform, "RequestEncodingOptions").(*value.Object)
		e.body = []byte(encodeForm(object, member(options, "ArrayFormat")))
		if e.header.Get("Content-Type") == "" {
			e.header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return nil, nil
	}
	if s, ok := body.(string); ok && e.header.Get("Content-Type") != "" && !strings.Contains(e.header.Get("Content-Type"), "json") {
		e.body = []byte(s)
		return nil, nil
	}
	e.body = value.Append(nil, body)
	if e.header.Get("Content-Type") == "" {
		e.header.Set("Content-Type", "application/json")
	}
	return object, nil
}

// encodeForm writes a form; arrays by indices unless the state chose otherwise.
func encodeForm(o *value.Object, arrays string) string {
	var pairs []string
	add := func(k string, v any) { pairs = append(pairs, url.QueryEscape(k)+"="+url.QueryEscape(plain(v))) }
	var write func(key string, v any)
	write = func(key string, v any) {
		switch v := v.(type) {
		case *value.Object:
			for k, x := range v.All() {
				write(key+"["+k+"]", x)
			}
		case []any:
			if arrays == "COMMAS" {
				parts := make([]string, len(v))
				for i, x := range v {
					parts[i] = plain(x)
				}
				add(key, strings.Join(parts, ","))
				return
			}
			for i, x := range v {
				switch arrays {
				case "BRACKETS":
					write(key+"[]", x)
				case "REPEAT":
					write(key, x)
				default:
					write(fmt.Sprintf("%s[%d]", key, i), x)
				}
			}
		case nil:
		default:
			add(key, v)
		}
	}
	for k, v := range o.All() {
		write(k, v)
	}
	return strings.Join(pairs, "&")
}

// authorize adds what a connection knows. EventBridge tells the kind of
// authorization; its secrets are in Secrets Manager.
func (r *Runner) authorize(ctx context.Context, t *Task, arn string, e *endpoint, body *value.Object) *TaskError {
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	if parts := strings.Split(name, "/"); len(parts) > 1 {
		name = parts[1]
	}
	s, _ := serviceOf("events")
	op, _ := r.cfg.Caller.Lookup("eventbridge", "describeConnection")
	answer, _, err := r.cfg.Caller.Call(ctx, t.request("eventbridge", "describeConnection", value.Of("Name", name)))
	if err != nil {
		return fault(s, op, nil, err)
	}
	secret, _, err := r.cfg.Caller.Call(ctx, t.request("secretsmanager", "getSecretValue", value.Of("SecretId", member(answer, "SecretArn"))))
	if err != nil {
		op, _ := r.cfg.Caller.Lookup("secretsmanager", "getSecretValue")
		return fault(service{}, op, nil, err)
	}
	known, _ := parsed(member(secret, "SecretString")).(*value.Object)
	if known == nil {
		known = value.NewObject(0)
	}
	switch kind := member(answer, "AuthorizationType"); kind {
	case "BASIC":
		pair := member(known, "username") + ":" + member(known, "password")
		e.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case "API_KEY":
		e.header.Set(member(known, "api_key_name"), member(known, "api_key_value"))
	case "OAUTH_CLIENT_CREDENTIALS":
		token, err := r.oauth(ctx, answer, known)
		if err != nil {
			return err
		}
		e.header.Set("Authorization", "Bearer "+token)
	default:
		return &TaskError{Error: errRuntime, Cause: "The connection " + arn + " has the unknown authorization type " + kind}
	}
	connectionParameters(known, e, body)
	return nil
}

// connectionParameters adds the headers, query parameters and members of the body
// that a connection holds for every request.
func connectionParameters(known *value.Object, e *endpoint, body *value.Object) {
	extra, _ := pick(known, "invocation_http_parameters").(*value.Object)
	if extra == nil {
		return
	}
	each := func(name string, add func(k, v string)) {
		list, _ := pick(extra, name).([]any)
		for _, x := range list {
			if o, ok := x.(*value.Object); ok {
				add(member(o, "key"), member(o, "value"))
			}
		}
	}
	each("header_parameters", e.header.Set)
	each("query_string_parameters", e.query.Set)
	if body != nil {
		merged := body.Clone()
		each("body_parameters", func(k, v string) { merged.Set(k, v) })
		e.body = value.Append(nil, merged)
	}
}

// oauth gets a token with the credentials of a client.
func (r *Runner) oauth(ctx context.Context, connection, known *value.Object) (string, *TaskError) {
	address, method := member(known, "authorization_endpoint"), member(known, "http_method")
	if auth, ok := pick(connection, "AuthParameters").(*value.Object); ok {
		if o, ok := pick(auth, "OAuthParameters").(*value.Object); ok && address == "" {
			address, method = member(o, "AuthorizationEndpoint"), member(o, "HttpMethod")
		}
	}
	if method == "" {
		method = http.MethodPost
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {member(known, "client_id")}, "client_secret": {member(known, "client_secret")}}
	e := &endpoint{method: method, url: address, query: url.Values{}, header: http.Header{}}
	if method == http.MethodGet {
		e.query = form
	} else {
		e.body = []byte(form.Encode())
		e.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	a, err := r.exchange(ctx, e)
	if err != nil {
		return "", &TaskError{Error: "States.Http.Socket", Cause: err.Error()}
	}
	o, _ := parsedBody(a).(*value.Object)
	token := member(o, "access_token")
	if a.status >= http.StatusMultipleChoices || token == "" {
		return "", &TaskError{Error: "Events.ConnectionResource.AuthorizationFailed", Cause: fmt.Sprintf("The authorization endpoint answered with status code %d and no token.", a.status)}
	}
	return token, nil
}
