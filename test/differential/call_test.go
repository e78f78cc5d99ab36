package differential

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// call is one request of a sequence. Its path, query and body hold marks
// where a server's own ids or the time come in:
//
//	{{3.id}}     what the answer to call 3 holds at id
//	{{now-60}}   the time the run began, 60 seconds earlier
type call struct {
	number int
	op     *operation
	path   string // escaped, with marks
	query  string
	body   any  // what is sent as JSON
	empty  bool // send no body
}

func (c call) String() string {
	text := c.op.method + " " + c.path
	if c.query != "" {
		text += "?" + c.query
	}
	if !c.empty {
		text += " " + string(encode(c.body))
	}
	return fmt.Sprintf("%d: %s", c.number, text)
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a generated value is always JSON
	}
	return bytes.TrimSpace(b.Bytes())
}

// request is a call as one server gets it.
type request struct {
	method, path, query string
	body                []byte
}

// answer is what a server sent.
type answer struct {
	status int
	header http.Header
	body   []byte
	value  any // the body as JSON, nil when there is none
}

// send sends a request, again while the reference says that its database is busy.
func (s *server) send(ctx context.Context, r request) (answer, error) {
	for try := 0; ; try++ {
		a, err := s.sendOnce(ctx, r)
		if err != nil || a.status != http.StatusServiceUnavailable || try == 100 {
			return a, err
		}
		<-time.After(100 * time.Millisecond)
	}
}

func (s *server) sendOnce(ctx context.Context, r request) (answer, error) {
	target := s.base + r.path
	if r.query != "" {
		target += "?" + r.query
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, header: res.Header, body: body}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&a.value) != nil {
		a.value = string(body)
	}
	return a, nil
}

// player sends calls to one server and remembers the answers.
type player struct {
	server  *server
	began   time.Time
	answers map[int]any
}

var mark = regexp.MustCompile(`\{\{(now|\d+)([^}]*)\}\}`)

// nobody is the id that a mark stands for when its call did not give one.
const nobody = "00000000-0000-4000-8000-000000000000"

func (p *player) fill(text string, escape func(string) string) string {
	return mark.ReplaceAllStringFunc(text, func(m string) string {
		parts := mark.FindStringSubmatch(m)
		if parts[1] == "now" {
			return escape(p.moment(parts[2]))
		}
		number, _ := strconv.Atoi(parts[1])
		found := p.answers[number]
		for key := range strings.SplitSeq(strings.TrimPrefix(parts[2], "."), ".") {
			switch v := found.(type) {
			case map[string]any:
				found = v[key]
			case []any:
				i, err := strconv.Atoi(key)
				found = nil
				if err == nil && i < len(v) {
					found = v[i]
				}
			default:
				found = nil
			}
		}
		if s, ok := found.(string); ok {
			return escape(s)
		}
		return nobody
	})
}

// moment writes a time: seconds from the begin, then optionally a format.
func (p *player) moment(text string) string {
	offset, format, _ := strings.Cut(text, "|")
	seconds, _ := strconv.ParseInt(offset, 10, 64)
	at := p.began.Add(time.Duration(seconds) * time.Second)
	switch format {
	case "zone":
		return at.In(time.FixedZone("", 2*60*60)).Format("2006-01-02T15:04:05.000-07:00")
	case "naive":
		return at.Format("2006-01-02T15:04:05")
	case "space":
		return at.Format("2006-01-02 15:04:05+00:00")
	}
	return at.Format(time.RFC3339Nano)
}

func (p *player) play(ctx context.Context, c call) (answer, error) {
	r := request{method: c.op.method, path: "/api" + p.fill(c.path, url.PathEscape), query: p.fill(c.query, url.QueryEscape)}
	if !c.empty {
		r.body = []byte(p.fill(string(encode(c.body)), func(s string) string {
			quoted := encode(s)
			return string(quoted[1 : len(quoted)-1])
		}))
	}
	got, err := p.server.send(ctx, r)
	if err == nil {
		p.answers[c.number] = got.value
	}
	return got, err
}
