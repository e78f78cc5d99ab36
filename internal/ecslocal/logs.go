package ecslocal

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// logGroup is a log group of CloudWatch Logs.
type logGroup struct {
	Name      string
	Arn       string
	Created   int64 // milliseconds since 1970, as all times of logs
	Retention *int
	Tags      map[string]string
	Streams   map[string]*logStream
}

// logStream is a log stream. Its events are kept in a file of their own.
type logStream struct {
	Name    string
	Arn     string
	Created int64
	Events  []logEvent `json:"-"`
	Next    int64      // number of the next event
}

// logEvent is a line of a log.
type logEvent struct {
	Number   int64  `json:"n"`
	Time     int64  `json:"t"`
	Ingested int64  `json:"i"`
	Message  string `json:"m"`
}

// maxEvents is how many events of a stream are kept; older ones are dropped.
const maxEvents = 200_000

var (
	groupRule  = regexp.MustCompile(`^[\.\-_/#A-Za-z0-9]{1,512}$`)
	streamRule = regexp.MustCompile(`^[^:*]{1,512}$`)
)

func logsNotFound(what string) error {
	return errorf("ResourceNotFoundException", "The specified log %s does not exist.", what)
}

func constraint(name, value, rule string) error {
	return errorf("InvalidParameterException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, name, rule)
}

// makeGroup makes a log group.
func (st *site) makeGroup(name string, tags map[string]string, now time.Time) error {
	if !groupRule.MatchString(name) {
		return constraint("logGroupName", name, `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	}
	if st.Groups[name] != nil {
		return errorf("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	st.Groups[name] = &logGroup{
		Name: name, Arn: "arn:aws:logs:" + st.Region + ":" + st.Account + ":log-group:" + name, Created: now.UnixMilli(), Tags: tags,
		Streams: map[string]*logStream{},
	}
	return nil
}

// makeStream makes a stream; the name need not be new to the log driver.
func (g *logGroup) makeStream(name string, now time.Time) error {
	if !streamRule.MatchString(name) {
		return constraint("logStreamName", name, "Member must satisfy regular expression pattern: [^:*]*")
	}
	if g.Streams[name] != nil {
		return errorf("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	g.Streams[name] = &logStream{Name: name, Arn: g.Arn + ":log-stream:" + name, Created: now.UnixMilli()}
	return nil
}

// group finds a log group by name or by ARN.
func (st *site) group(name, identifier string) (*logGroup, error) {
	if name == "" && identifier == "" {
		return nil, errorf("InvalidParameterException", "Exactly one of logGroupName and logGroupIdentifier must be given.")
	}
	if name == "" {
		name = strings.TrimSuffix(identifier, ":*")
		if i := strings.Index(name, ":log-group:"); i >= 0 {
			name = name[i+len(":log-group:"):]
		}
	}
	if g := st.Groups[name]; g != nil {
		return g, nil
	}
	return nil, logsNotFound("group")
}

// addEvents appends events to a stream; the caller holds the lock.
func (s *Server) addEvents(st *site, g *logGroup, stream *logStream, events []logEvent) {
	for i := range events {
		events[i].Number = stream.Next
		stream.Next++
	}
	sorted := len(stream.Events) == 0 || stream.Events[len(stream.Events)-1].Time <= events[0].Time
	stream.Events = append(stream.Events, events...)
	if !sorted {
		slices.SortStableFunc(stream.Events, func(a, b logEvent) int { return cmp.Compare(a.Time, b.Time) })
	}
	if extra := len(stream.Events) - maxEvents; extra > maxEvents/10 {
		stream.Events = slices.Clone(stream.Events[extra:])
	}
	s.store.appendEvents(st, g, stream, events)
}

func createLogGroup(c *call, in *struct {
	LogGroupName string
	Tags         map[string]string
},
) (any, error) {
	return nil, c.makeGroup(in.LogGroupName, in.Tags, c.now)
}

func deleteLogGroup(c *call, in *struct{ LogGroupName string }) (any, error) {
	g, err := c.group(in.LogGroupName, "")
	if err != nil {
		return nil, err
	}
	delete(c.Groups, g.Name)
	return nil, c.server.store.dropEvents(c.site, g.Name, "")
}

type streamInput struct{ LogGroupName, LogStreamName string }

func createLogStream(c *call, in *streamInput) (any, error) {
	g, err := c.group(in.LogGroupName, "")
	if err != nil {
		return nil, err
	}
	return nil, g.makeStream(in.LogStreamName, c.now)
}

func deleteLogStream(c *call, in *streamInput) (any, error) {
	g, err := c.group(in.LogGroupName, "")
	if err != nil {
		return nil, err
	}
	if g.Streams[in.LogStreamName] == nil {
		return nil, logsNotFound("stream")
	}
	delete(g.Streams, in.LogStreamName)
	return nil, c.server.store.dropEvents(c.site, g.Name, in.LogStreamName)
}

func putRetentionPolicy(c *call, in *struct {
	LogGroupName    string
	RetentionInDays int
},
) (any, error) {
	g, err := c.group(in.LogGroupName, "")
	if err == nil {
		g.Retention = &in.RetentionInDays
	}
	return nil, err
}

func describeLogGroups(c *call, in *struct {
	Prefix    string `json:"logGroupNamePrefix"`
	Pattern   string `json:"logGroupNamePattern"`
	NextToken string
	Limit     *int
},
) (any, error) {
	limit, err := logLimit(in.Limit, 50, 50)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range c.Groups {
		if strings.HasPrefix(name, in.Prefix) && strings.Contains(strings.ToLower(name), strings.ToLower(in.Pattern)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names, next := page(names, in.NextToken, limit)
	shown := []map[string]any{}
	for _, name := range names {
		g := c.Groups[name]
		one := map[string]any{
			"logGroupName": g.Name, "arn": g.Arn + ":*", "logGroupArn": g.Arn, "creationTime": g.Created, "metricFilterCount": 0,
			"storedBytes": g.size(), "logGroupClass": "STANDARD",
		}
		if g.Retention != nil {
			one["retentionInDays"] = *g.Retention
		}
		shown = append(shown, one)
	}
	return withToken(map[string]any{"logGroups": shown}, next), nil
}

func (g *logGroup) size() int {
	n := 0
	for _, stream := range g.Streams {
		for i := range stream.Events {
			n += len(stream.Events[i].Message) + 26
		}
	}
	return n
}

func withToken(out map[string]any, next string) map[string]any {
	if next != "" {
		out["nextToken"] = next
	}
	return out
}

// logLimit is the length of a page of logs.
func logLimit(given *int, otherwise, most int) (int, error) {
	if given == nil {
		return otherwise, nil
	}
	if *given < 1 || *given > most {
		return 0, errorf("InvalidParameterException", "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", *given, most)
	}
	return *given, nil
}

func describeLogStreams(c *call, in *struct {
	LogGroupName, LogGroupIdentifier string
	Prefix                           string `json:"logStreamNamePrefix"`
	OrderBy                          string
	Descending                       bool
	NextToken                        string
	Limit                            *int
},
) (any, error) {
	g, err := c.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	limit, err := logLimit(in.Limit, 50, 50)
	if err != nil {
		return nil, err
	}
	if in.OrderBy == "LastEventTime" && in.Prefix != "" {
		return nil, errorf("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	var streams []*logStream
	for name, stream := range g.Streams {
		if strings.HasPrefix(name, in.Prefix) {
			streams = append(streams, stream)
		}
	}
	slices.SortFunc(streams, func(a, b *logStream) int {
		if in.OrderBy == "LastEventTime" {
			return cmp.Or(cmp.Compare(a.last(), b.last()), strings.Compare(a.Name, b.Name))
		}
		return strings.Compare(a.Name, b.Name)
	})
	if in.Descending {
		slices.Reverse(streams)
	}
	shown, next, begun := []map[string]any{}, "", in.NextToken == ""
	for i, stream := range streams {
		switch {
		case !begun:
			begun = stream.Name == in.NextToken
		case len(shown) == limit:
			next = streams[i-1].Name
		default:
			shown = append(shown, stream.show())
		}
		if next != "" {
			break
		}
	}
	return withToken(map[string]any{"logStreams": shown}, next), nil
}

// last is the time of the last event, 0 if there is none.
func (s *logStream) last() int64 {
	if len(s.Events) == 0 {
		return 0
	}
	return s.Events[len(s.Events)-1].Time
}

func (s *logStream) show() map[string]any {
	out := map[string]any{"logStreamName": s.Name, "arn": s.Arn, "creationTime": s.Created, "storedBytes": 0, "uploadSequenceToken": "1"}
	if n := len(s.Events); n > 0 {
		out["firstEventTimestamp"], out["lastEventTimestamp"] = s.Events[0].Time, s.Events[n-1].Time
		out["lastIngestionTime"] = s.Events[n-1].Ingested
	}
	return out
}

func putLogEvents(c *call, in *struct {
	LogGroupName, LogStreamName string
	LogEvents                   []struct {
		Timestamp int64
		Message   string
	}
},
) (any, error) {
	g, err := c.group(in.LogGroupName, "")
	if err != nil {
		return nil, err
	}
	stream := g.Streams[in.LogStreamName]
	if stream == nil {
		return nil, logsNotFound("stream")
	}
	if len(in.LogEvents) == 0 || len(in.LogEvents) > 10_000 {
		return nil, errorf("InvalidParameterException", "Log events must have between 1 and 10000 elements.")
	}
	var taken []logEvent
	rejected := map[string]any{}
	last := int64(0)
	for i, e := range in.LogEvents {
		when := time.UnixMilli(e.Timestamp)
		switch {
		case e.Message == "":
			return nil, errorf("InvalidParameterException", "1 validation error detected: Value '' at 'logEvents.%d.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1", i+1)
		case e.Timestamp < last:
			return nil, errorf("InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order.")
		case when.After(c.now.Add(2 * time.Hour)):
			if rejected["tooNewLogEventStartIndex"] == nil {
				rejected["tooNewLogEventStartIndex"] = i
			}
		case when.Before(c.now.AddDate(0, 0, -14)):
			rejected["tooOldLogEventEndIndex"] = i + 1
		default:
			taken = append(taken, logEvent{Time: e.Timestamp, Ingested: c.now.UnixMilli(), Message: e.Message})
		}
		last = e.Timestamp
	}
	if len(taken) > 0 {
		c.server.addEvents(c.site, g, stream, taken)
	}
	out := map[string]any{"nextSequenceToken": "1"}
	if len(rejected) > 0 {
		out["rejectedLogEventsInfo"] = rejected
	}
	return out, nil
}
