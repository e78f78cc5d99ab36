package awscall

import (
	"net/http"
	"testing"

	"github.com/leat-dev/leat/internal/value"
)

// FuzzAnswers reads anything as an answer of each protocol: whatever a server
// sends, the caller gets members or an error.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		"", "{}", `{"Table":[]}`, `{"Item":{"a":{"S":1,"B":"!"}},"__type":"a#b:c"}`, "<a><b>", "<Error><Code>x</Code></Error>",
		`<ListTopicsResponse><ListTopicsResult><Topics><member/></Topics></ListTopicsResult></ListTopicsResponse>`,
		`<ListBucketResult><Contents><Size>x</Size><LastModified>y</LastModified></Contents></ListBucketResult>`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	c := &catalog{}
	var operations []*Operation
	for _, o := range [][2]string{
		{"dynamodb", "getitem"},
		{"sns", "listtopics"},
		{"ec2", "describevpcs"},
		{"lambda", "invoke"},
		{"lambda", "getfunction"},
		{"s3", "getobject"},
		{"s3", "listobjectsv2"},
		{"s3", "getbucketlocation"},
		{"sqs", "receivemessage"},
	} {
		s, err := c.service(o[0])
		if err != nil || s == nil || s.operations[o[1]] == nil {
			f.Fatalf("no operation %s of %s: %v", o[1], o[0], err)
		}
		operations = append(operations, s.operations[o[1]])
	}
	f.Fuzz(func(t *testing.T, body []byte, good bool) {
		for _, op := range operations {
			a := &answer{status: http.StatusOK, header: http.Header{"X-Amz-Meta-A": {string(body)}}, body: body}
			if !good {
				a.status = http.StatusBadRequest
				if e := decodeError(op, a); e.Code == "" {
					t.Errorf("%s: an error without a code", op.Name)
				}
				continue
			}
			if out, err := decode(op, a); err == nil {
				if _, err := value.Parse(value.Append(nil, out)); err != nil {
					t.Errorf("%s: %v", op.Name, err)
				}
			}
		}
	})
}

// FuzzParameters makes requests of any parameters: there is a request or an error.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{`{}`, `{"TableName":1}`, `{"Bucket":"b","Key":"/a//b "}`, `{"FunctionName":{},"Payload":[]}`, `{"Filters":[{"Name":"x","Values":[null]}]}`} {
		f.Add(s)
	}
	c := &catalog{}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Parse([]byte(text))
		if err != nil {
			return
		}
		for _, o := range [][2]string{{"dynamodb", "putitem"}, {"sns", "publish"}, {"ec2", "describevpcs"}, {"lambda", "invoke"}, {"s3", "putobject"}, {"route53", "changeresourcerecordsets"}} {
			s, err := c.service(o[0])
			if err != nil {
				t.Fatal(err)
			}
			if w, err := encode(s.operations[o[1]], object(v), func() string { return "t" }); err == nil && (w.path == "" || w.path[0] != '/') {
				t.Errorf("%s: path %q", o[1], w.path)
			}
		}
	})
}

func BenchmarkFirstLookup(b *testing.B) {
	for b.Loop() {
		c := &catalog{}
		if s, err := c.service("dynamodb"); err != nil || s == nil {
			b.Fatal(err)
		}
	}
}
