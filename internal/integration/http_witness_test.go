package integration_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// What a connection adds is a secret: a witness sees it only when it may.
func TestExchangesOverHTTPAreToldToTheirWitness(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "v" || r.URL.Query().Get("q") != "1" {
			w.WriteHeader(http.StatusForbidden)
		}
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(server.Close)
	r := runner(t, service{
		"DescribeConnection": gives(`{"Name":"c","AuthorizationType":"API_KEY","SecretArn":"s"}`),
		"GetSecretValue":     gives(`{"SecretString":"{\"api_key_name\":\"X-Key\",\"api_key_value\":\"v\",\"invocation_http_parameters\":{\"query_string_parameters\":[{\"key\":\"q\",\"value\":\"1\"}],\"body_parameters\":[{\"key\":\"b\",\"value\":\"2\"}]}}"}`),
	})
	const connection = `"Authentication":{"ConnectionArn":"arn:aws:events:us-east-1:000000000000:connection/c/id"}`
	params := `{"ApiEndpoint":"` + server.URL + `/x","Method":"POST","QueryParameters":{"a":"1"},"RequestBody":{"a":1},` + connection + `}`
	const agent = `User-Agent: Amazon|StepFunctions|leat`
	for _, tt := range []struct {
		name    string
		secrets bool
		request string
	}{
		{"without secrets", false, `{"protocol":"http","method":"POST","url":"URL/x?a=1","headers":"[Content-Type: application/json, ` + agent + `]","body":"{\"a\":1}"}`},
		{"with secrets", true, `{"protocol":"http","method":"POST","url":"URL/x?a=1&q=1","headers":"[Content-Type: application/json, ` + agent + `, X-Key: v]","body":"{\"a\":1,\"b\":\"2\"}"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var told integration.HTTPExchange
			ctx := integration.WitnessHTTP(t.Context(), tt.secrets, func(x integration.HTTPExchange) { told = x })
			if _, failure := r.Start(ctx, task(t, "arn:aws:states:::http:invoke", params)); failure != nil {
				t.Fatal(failure)
			}
			if got := strings.ReplaceAll(value.String(told.Request), server.URL, "URL"); got != tt.request {
				t.Errorf("got  %s\nwant %s", got, tt.request)
			}
			want := `{"protocol":"http","statusCode":"200","statusMessage":"OK","headers":"[Content-Length: 2, Content-Type: text/plain]","body":"ok"}`
			if got := value.String(told.Response); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestARequestThatIsNotAnsweredIsToldToo(t *testing.T) {
	t.Parallel()
	r := runner(t, service{
		"DescribeConnection": gives(`{"Name":"c","AuthorizationType":"BASIC","SecretArn":"s"}`),
		"GetSecretValue":     gives(`{"SecretString":"{}"}`),
	})
	var told integration.HTTPExchange
	ctx := integration.WitnessHTTP(t.Context(), true, func(x integration.HTTPExchange) { told = x })
	_, failure := r.Start(ctx, task(t, "arn:aws:states:::http:invoke",
		`{"ApiEndpoint":"no address","Method":"GET","Authentication":{"ConnectionArn":"arn:aws:events:us-east-1:000000000000:connection/c/id"}}`))
	if failure == nil || failure.Error != "States.Http.Socket" {
		t.Errorf("%+v", failure)
	}
	if url := text(told.Request, "url"); url != "no address" || told.Response != nil {
		t.Errorf("%q %v", url, told.Response)
	}
}
