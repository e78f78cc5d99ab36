package awscall

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/value"
)

// reference is a line of testdata/botocore_requests.py.
type reference struct {
	Service, Protocol, Operation, Method, Path, Skip string
	Params                                           json.RawMessage
	Query                                            [][]any
	Form                                             map[string]string
	Headers                                          map[string]string
	Body                                             []byte
}

// testPython is a Python with botocore: the one LEAT_TEST_AWS_PYTHON names.
func testPython(t *testing.T) string {
	t.Helper()
	python := os.Getenv("LEAT_TEST_AWS_PYTHON")
	if python == "" {
		t.Skip("LEAT_TEST_AWS_PYTHON names no Python with botocore 1.42.59")
	}
	return python
}

func TestRequestsAreThoseOfBotocore(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), testPython(t), filepath.Join("testdata", "botocore_requests.py"), "7", "4").Output()
	if err != nil {
		t.Fatalf("run botocore: %v", err)
	}
	c := &catalog{}
	compared, wrong := 0, 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var ref reference
		if err := json.Unmarshal(lines.Bytes(), &ref); err != nil {
			t.Fatal(err)
		}
		if ref.Skip != "" {
			continue
		}
		compared++
		if diff := compare(t, c, &ref); diff != "" {
			wrong++
			if wrong <= 25 {
				t.Errorf("%s.%s (%s) of %s:\n%s", ref.Service, ref.Operation, ref.Protocol, ref.Params, diff)
			}
		}
	}
	if compared < 1000 || wrong > 0 {
		t.Errorf("%d of %d requests differ", wrong, compared)
	}
}

func compare(t *testing.T, c *catalog, ref *reference) string {
	t.Helper()
	s, err := c.service(ServiceName(ref.Service))
	if err != nil || s == nil {
		return "no such service"
	}
	op := s.operations[strings.ToLower(ref.Operation)]
	params, err := value.Parse(ref.Params)
	if err != nil {
		t.Fatal(err)
	}
	w, err := encode(op, object(params), func() string { return "token" })
	if err != nil {
		return err.Error()
	}
	type shown struct {
		Method, Path string
		Query        []string
		Headers      map[string]string
		Body         any
	}
	path, static, _ := strings.Cut(ref.Path, "?")
	want := shown{ref.Method, path, nil, map[string]string{}, readBody(ref.Protocol, ref.Body)}
	if ref.Form != nil {
		want.Body = ref.Form
	}
	got := shown{w.method, w.path, nil, map[string]string{}, readBody(ref.Protocol, w.body)}
	for k, vs := range w.query {
		for _, v := range vs {
			got.Query = append(got.Query, k+"="+v)
		}
	}
	for pair := range strings.SplitSeq(static, "&") {
		if k, v, _ := strings.Cut(pair, "="); k != "" {
			want.Query = append(want.Query, k+"="+v)
		}
	}
	for _, q := range ref.Query {
		k, _ := q[0].(string)
		v, _ := q[1].(string)
		if q[1] != nil && v == "" {
			v = strings.TrimSuffix(value.String(q[1]), "")
			v = strings.Trim(v, `"`)
		}
		want.Query = append(want.Query, k+"="+v)
	}
	slices.Sort(got.Query)
	slices.Sort(want.Query)
	ignored := []string{"Content-Type", "Content-Length", "X-Amz-Target"}
	for k, v := range ref.Headers {
		if k = http.CanonicalHeaderKey(k); !slices.Contains(ignored, k) {
			want.Headers[k] = v
		}
	}
	for k := range w.header {
		if !slices.Contains(ignored, k) {
			got.Headers[k] = w.header.Get(k)
		}
	}
	if target, ok := ref.Headers["X-Amz-Target"]; ok && target != w.header.Get("X-Amz-Target") {
		return "target " + w.header.Get("X-Amz-Target") + ", not " + target
	}
	return cmp.Diff(want, got)
}

// readBody reads a body so that the order of members does not matter.
func readBody(protocol string, body []byte) any {
	if len(body) == 0 {
		return nil
	}
	switch protocol {
	case "query", "ec2":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return err.Error()
		}
		flat := map[string]string{}
		for k, v := range form {
			flat[k] = v[0]
		}
		return flat
	case "rest-xml":
		if n, err := parseXML(body); err == nil && n != nil {
			return showNode(n)
		}
		return string(body)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return string(body)
	}
	return v
}

func showNode(n *node) string {
	parts := []string{}
	for _, c := range n.children {
		parts = append(parts, showNode(c))
	}
	sort.Strings(parts)
	attributes := []string{}
	for k, v := range n.attributes {
		attributes = append(attributes, k+"="+v)
	}
	sort.Strings(attributes)
	return n.name + "(" + strings.Join(attributes, " ") + ")[" + n.text + strings.Join(parts, ",") + "]"
}
