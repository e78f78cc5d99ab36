package integration_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// bucketServer stands in for S3: objects by bucket/key, listed two at a time.
type bucketServer struct {
	mu      sync.Mutex
	objects map[string]string
}

func (s *bucketServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/")
	bucket, key, _ := strings.Cut(name, "/")
	switch {
	case r.Method == http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.objects[name] = string(body)
	case bucket != "b" && bucket != "other":
		refuse(w, "NoSuchBucket", "The specified bucket does not exist")
	case key == "":
		s.list(w, r, bucket)
	default:
		body, ok := s.objects[name]
		if !ok {
			refuse(w, "NoSuchKey", "The specified key does not exist.")
			return
		}
		_, _ = io.WriteString(w, body)
	}
}

func refuse(w http.ResponseWriter, code, message string) {
	w.Header().Set("X-Amz-Request-Id", "R1")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>"+message+"</Message></Error>")
}

func (s *bucketServer) list(w http.ResponseWriter, r *http.Request, bucket string) {
	type object struct {
		Key, LastModified, ETag, StorageClass string
		Size                                  int
	}
	out := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		NextContinuationToken string   `xml:",omitempty"`
		Contents              []object
	}{}
	var keys []string
	for name := range s.objects {
		if key, ok := strings.CutPrefix(name, bucket+"/"); ok && strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	from, _ := strconv.Atoi(r.URL.Query().Get("continuation-token"))
	for i := from; i < len(keys); i++ {
		if i == from+2 {
			out.NextContinuationToken = strconv.Itoa(i)
			break
		}
		out.Contents = append(out.Contents, object{keys[i], "2026-01-02T03:04:05.000Z", `"e"`, "STANDARD", len(s.objects[bucket+"/"+keys[i]])})
	}
	_ = xml.NewEncoder(w).Encode(out)
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	if err != nil || z.Close() != nil {
		t.Fatal("gzip", err)
	}
	return b.String()
}

func items(t *testing.T, objects map[string]string) (integration.Items, *bucketServer) {
	t.Helper()
	s3 := &bucketServer{objects: objects}
	srv := httptest.NewServer(s3)
	t.Cleanup(srv.Close)
	_, r := client(t, srv.URL, nil)
	return integration.Items{Runner: r}, s3
}

func caller() integration.Task {
	return integration.Task{Account: account, Region: "us-east-1", ExecutionName: "e"}
}

func TestItemsAreReadFromObjects(t *testing.T) {
	t.Parallel()
	const get, list = "arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"
	tests := []struct {
		name, body, config string
		resource, params   string
		most               int64
		want, cause        string
	}{
		{
			name: "CSV by its first row: what is missing is empty, what is too much is left out",
			body: "A,B\n1,2,3\n4\n,,,\n   \n\"x,\"\"y\"\"\nz\",'q'\n", config: `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`,
			want: `[{"A":"1","B":"2"},{"A":"4","B":""},{"A":"","B":""},{"A":"   ","B":""},{"A":"x,\"y\"\nz","B":"'q'"}]`,
		},
		{
			name: "CSV by given headers, with pipes", body: "1|2\n3|4\n", config: `{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["H"],"CSVDelimiter":"PIPE"}`,
			want: `[{"H":"1"},{"H":"3"}]`,
		},
		{
			name: "CSV of tabs after a byte order mark", body: "\xEF\xBB\xBFA\tB\n1\t2\n", config: `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","CSVDelimiter":"TAB"}`,
			want: `[{"A":"1","B":"2"}]`,
		},
		{
			name: "no more CSV rows than MaxItems", body: "A\n1\n2\n3\n", config: `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, most: 2,
			want: `[{"A":"1"},{"A":"2"}]`,
		},
		{name: "a MaxItems that is larger than the file", body: "A\n1\n", config: `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, most: 100000000, want: `[{"A":"1"}]`},
		{name: "a MaxItems below zero", body: "A\n1\n", config: `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, most: -1, cause: "field MaxItems must be positive"},
		{name: "an empty CSV file", config: `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, want: `[]`},
		{name: "the same CSV header twice", body: "A,A\n1,2\n", config: `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, cause: "CSV headers cannot contain duplicates."},
		{name: "the same given header twice", body: "1,2\n", config: `{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["H","H"]}`, cause: "CSV headers cannot contain duplicates."},
		{name: "a JSON array", body: `[1, {"a": 1.50}]`, config: `{"InputType":"JSON"}`, want: `[1,{"a":1.50}]`},
		{name: "a JSON array by the older spelling of the resource", body: `[1]`, config: `{"InputType":"JSON"}`, resource: "arn:aws:states:::aws-sdk:s3:getObject", want: `[1]`},
		{name: "a JSON object", body: `{"a": 1}`, config: `{"InputType":"JSON"}`, cause: "Attempting to map over non-iterable node."},
		{
			name: "a JSON object within the file", body: `{"x/y": [{"a": 1, "b": []}]}`, config: `{"InputType":"JSON","ItemsPointer":"/x~1y/0"}`,
			want: `[{"Key":"a","Value":1},{"Key":"b","Value":[]}]`,
		},
		{name: "an array within the file", body: `{"a": {"b": [1, 2, 3]}}`, config: `{"InputType":"JSON","ItemsPointer":"/a/b"}`, most: 2, want: `[1,2]`},
		{name: "a pointer to nothing", body: `{}`, config: `{"InputType":"JSON","ItemsPointer":"/a"}`, cause: "The ItemsPointer /a points to nothing in the file"},
		{name: "lines of JSON, packed, the last without its end", body: zipped(t, "{\"a\":1}\r\n\n2\n[3]"), config: `{"InputType":"JSONL"}`, want: `[{"a":1},2,[3]]`},
		{name: "a line that is no JSON", body: "1\n{", config: `{"InputType":"JSONL"}`, cause: "Line 2 of the JSONL file cannot be read: "},
		{name: "Parquet", body: "PAR1", config: `{"InputType":"PARQUET"}`, cause: "Items of InputType PARQUET cannot be read here: use CSV, JSON or JSONL"},
		{name: "gzip that is cut off", body: zipped(t, "[1]")[:12], config: `{"InputType":"JSON"}`, cause: "The object is no valid gzip file: "},
		{
			name: "an inventory with its packed files", config: `{"InputType":"MANIFEST"}`,
			body: `{"destinationBucket":"arn:aws:s3:::other","fileFormat":"CSV","fileSchema":"Bucket, Key, Size","files":[{"key":"d/1.csv.gz"},{"key":"d/2.csv.gz"}]}`,
			want: `[{"Bucket":"s","Key":"k1","Size":"1"},{"Bucket":"s","Key":"k2","Size":"2"},{"Bucket":"s","Key":"k3","Size":"3"}]`,
		},
		{name: "the files of a query of Athena", body: "s3://other/q/1\n\"s3://other/q/2\"\n", config: `{"InputType":"JSONL","ManifestType":"ATHENA_DATA"}`, want: `[1,2,3]`},
		{
			name: "a key that is not there", params: `{"Bucket":"b","Key":"none"}`, config: `{"InputType":"JSON"}`,
			cause: "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: R1, Extended Request ID: null) (SDK Attempt Count: 1)",
		},
		{name: "a bucket that is not there", params: `{"Bucket":"c","Key":"none"}`, config: `{"InputType":"JSON"}`, cause: "The specified bucket does not exist (Service: S3, "},
		{
			name: "a listing of several pages", resource: list, params: `{"Bucket":"other","Prefix":"l/"}`,
			want: `[{"Etag":"\"e\"","Key":"l/1","LastModified":1767323045,"Size":3,"StorageClass":"STANDARD"},` +
				`{"Etag":"\"e\"","Key":"l/2","LastModified":1767323045,"Size":4,"StorageClass":"STANDARD"},` +
				`{"Etag":"\"e\"","Key":"l/3","LastModified":1767323045,"Size":2,"StorageClass":"STANDARD"}]`,
		},
		{
			name: "a listing of which one is wanted", resource: list, params: `{"Bucket":"other","Prefix":"l/"}`, most: 1,
			want: `[{"Etag":"\"e\"","Key":"l/1","LastModified":1767323045,"Size":3,"StorageClass":"STANDARD"}]`,
		},
		{
			name: "what is in the listed objects", resource: list, params: `{"Bucket":"other","Prefix":"l/"}`, config: `{"InputType":"JSON","Transformation":"LOAD_AND_FLATTEN"}`,
			want: `[1,21]`,
		},
		{name: "a resource that is not S3", resource: "arn:aws:states:::sqs:sendMessage", cause: integration.Unrecognized("arn:aws:states:::sqs:sendMessage")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source, _ := items(t, map[string]string{
				"b/k": tt.body, "other/d/1.csv.gz": zipped(t, "\"s\",\"k1\",\"1\"\n\"s\",\"k2\",\"2\"\n"), "other/d/2.csv.gz": zipped(t, "\"s\",\"k3\",\"3\"\n"),
				"other/q/1": "1\n2\n", "other/q/2": "3\n", "other/l/1": "[1]", "other/l/2": "[21]", "other/l/3": "[]",
			})
			from := &asl.Transfer{Resource: get, Parameters: value.Of("Bucket", "b", "Key", "k")}
			if tt.resource != "" {
				from.Resource = tt.resource
			}
			if tt.params != "" {
				from.Parameters = object(t, tt.params)
			}
			if tt.config != "" {
				from.Config = object(t, tt.config)
			}
			got, failure := source.Read(t.Context(), caller(), from, tt.most)
			if tt.cause != "" {
				if failure == nil || failure.Error != "States.ItemReaderFailed" || !strings.HasPrefix(failure.Cause, tt.cause) {
					t.Errorf("read %v, error %+v, want the cause %q", got, failure, tt.cause)
				}
				return
			}
			if failure != nil {
				t.Fatalf("%+v", failure)
			}
			if diff := cmp.Diff(tt.want, value.String(got)); diff != "" {
				t.Errorf("items (-want +got)\n%s", diff)
			}
		})
	}
}

// finished are an execution of each way to end.
func finished() []*core.Execution {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	x := func(name, status, output, cause string) *core.Execution {
		e := &core.Execution{Name: name, ARN: "arn:x:" + name, MachineARN: "arn:m/label", Status: status, Input: `{"n":1}`, Started: at, Stopped: &at}
		if output != "" {
			e.Output = &output
		}
		if cause != "" {
			e.Error, e.Cause = new("E"), &cause
		}
		return e
	}
	pending := &core.Execution{Name: "p", MachineARN: "arn:m/label", Status: integration.Pending, Input: "3"}
	return []*core.Execution{x("a", "SUCCEEDED", `[1,2]`, ""), x("f", "FAILED", "", "why"), x("b", "SUCCEEDED", `{"o":1}`, ""), x("t", "ABORTED", "", ""), pending}
}

func TestResultsAreWritten(t *testing.T) {
	t.Parallel()
	const whole = `"Input":"{\"n\":1}","InputDetails":{"Included":true},`
	const about = `"RedriveCount":0,"RedriveStatus":"NOT_REDRIVABLE","RedriveStatusReason":"Execution is SUCCEEDED and cannot be redriven",` +
		`"StartDate":"2026-01-02T03:04:05.006Z","StateMachineArn":"arn:m/label","Status":"SUCCEEDED","StopDate":"2026-01-02T03:04:05.006Z"}`
	a := `{"ExecutionArn":"arn:x:a",` + whole + `"Name":"a","Output":"[1,2]","OutputDetails":{"Included":true},` + about
	b := `{"ExecutionArn":"arn:x:b",` + whole + `"Name":"b","Output":"{\"o\":1}","OutputDetails":{"Included":true},` + about
	tests := []struct{ name, resource, config, result, key, want string }{
		{name: "whole", resource: "arn:aws:states:::s3:putObject", key: "SUCCEEDED_0.json", want: "[" + a + "," + b + "]"},
		{name: "only their outputs", resource: "arn:aws:states:::s3:putObject", config: `{"Transformation":"COMPACT","OutputType":"JSON"}`, key: "SUCCEEDED_0.json", want: `[[1,2],{"o":1}]`},
		{name: "their outputs one by one in lines", resource: "arn:aws:states:::aws-sdk:s3:putObject", config: `{"Transformation":"FLATTEN","OutputType":"JSONL"}`, key: "SUCCEEDED_0.jsonl", want: "1\n2\n{\"o\":1}\n"},
		{name: "compact as the state's result", config: `{"Transformation":"COMPACT","OutputType":"JSON"}`, result: `[[1,2],{"o":1}]`},
		{name: "flat as the state's result", config: `{"Transformation":"FLATTEN"}`, result: `[1,2,{"o":1}]`},
		{name: "whole as the state's result", config: `{"Transformation":"NONE"}`, result: "[" + a + "," + b + "]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			target, s3 := items(t, map[string]string{})
			to := &asl.Transfer{Resource: tt.resource, Parameters: value.Of("Bucket", "b", "Prefix", "p")}
			if tt.config != "" {
				to.Config = object(t, tt.config)
			}
			got, failure := target.Write(t.Context(), caller(), to, &core.MapRun{ARN: "arn:aws:states:r:1:mapRun:m/label:uuid"}, finished())
			if failure != nil {
				t.Fatalf("%+v", failure)
			}
			if tt.resource == "" {
				if diff := cmp.Diff(tt.result, value.String(got)); diff != "" || len(s3.objects) != 0 {
					t.Errorf("result (-want +got)\n%s, objects %v", diff, s3.objects)
				}
				return
			}
			want := `{"MapRunArn":"arn:aws:states:r:1:mapRun:m/label:uuid","ResultWriterDetails":{"Bucket":"b","Key":"p/uuid/manifest.json"}}`
			if diff := cmp.Diff(want, value.String(got)); diff != "" {
				t.Errorf("result (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, s3.objects["b/p/uuid/"+tt.key]); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tt.key, diff)
			}
			checkManifest(t, s3, tt.key)
		})
	}
}

// checkManifest compares the manifest with the files that are there.
func checkManifest(t *testing.T, s3 *bucketServer, succeeded string) {
	t.Helper()
	type file struct {
		Key  string
		Size int
	}
	var m struct {
		DestinationBucket string
		MapRunArn         string
		ResultFiles       map[string][]file
	}
	if err := json.Unmarshal([]byte(s3.objects["b/p/uuid/manifest.json"]), &m); err != nil {
		t.Fatal(err)
	}
	extension := succeeded[strings.LastIndexByte(succeeded, '.'):]
	for kind, names := range map[string]string{"SUCCEEDED": succeeded, "FAILED": "FAILED_0" + extension, "PENDING": "PENDING_0" + extension} {
		key := "p/uuid/" + names
		if diff := cmp.Diff([]file{{key, len(s3.objects["b/"+key])}}, m.ResultFiles[kind]); diff != "" {
			t.Errorf("%s of the manifest (-want +got)\n%s", kind, diff)
		}
	}
	if failed := s3.objects["b/p/uuid/FAILED_0"+extension]; !strings.Contains(failed, `"Error":"E","Cause":"why"`) || !strings.Contains(failed, `"Status":"ABORTED"`) {
		t.Errorf("failed results: %s", failed)
	}
	if m.DestinationBucket != "b" || m.MapRunArn != "arn:aws:states:r:1:mapRun:m/label:uuid" {
		t.Errorf("manifest: %+v", m)
	}
}

func TestResultsThatCannotBeWrittenSayWhy(t *testing.T) {
	t.Parallel()
	target, _ := items(t, nil)
	run := &core.MapRun{ARN: "arn:aws:states:r:1:mapRun:m/label:uuid"}
	for _, to := range []*asl.Transfer{
		{Resource: "arn:aws:states:::s3:putObject", Parameters: value.Of("Prefix", "p")},
		{Resource: "arn:aws:states:::s3:getObject", Parameters: value.Of("Bucket", "b")},
	} {
		if _, failure := target.Write(t.Context(), caller(), to, run, nil); failure == nil || failure.Error != "States.ResultWriterFailed" || failure.Cause == "" {
			t.Errorf("%v: %+v", to, failure)
		}
	}
}

// FuzzItems reads hostile files.
func FuzzItems(f *testing.F) {
	for _, seed := range []string{"A,B\n\"1\n", "[1,", "1\n{}", `{"destinationBucket":1,"files":[1]}`, "s3://", "\x1f\x8b", "/a/0"} {
		f.Add(seed, "CSV", seed)
		f.Add(seed, "JSON", seed)
		f.Add(seed, "JSONL", seed)
		f.Add(seed, "MANIFEST", seed)
	}
	s3 := &bucketServer{objects: map[string]string{}}
	srv := httptest.NewServer(s3)
	f.Cleanup(srv.Close)
	f.Fuzz(func(t *testing.T, body, kind, pointer string) {
		s3.mu.Lock()
		s3.objects["b/k"] = body
		s3.mu.Unlock()
		_, r := client(t, srv.URL, nil)
		from := &asl.Transfer{
			Resource: "arn:aws:states:::s3:getObject", Parameters: value.Of("Bucket", "b", "Key", "k"),
			Config: value.Of("InputType", kind, "CSVHeaderLocation", "FIRST_ROW", "ItemsPointer", pointer),
		}
		list, failure := integration.Items{Runner: r}.Read(t.Context(), caller(), from, 3)
		if failure == nil && len(list) > 3 || failure != nil && failure.Error == "" {
			t.Errorf("%d items, error %+v", len(list), failure)
		}
	})
}
