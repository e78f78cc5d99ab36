package ecslocal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// getLogEvents pages through one stream. A token is f/ or b/ and the number of
// the event that lies before or behind the page.
func getLogEvents(c *call, in *struct {
	LogGroupName, LogGroupIdentifier, LogStreamName string
	StartTime, EndTime                              *int64
	NextToken                                       string
	Limit                                           *int
	StartFromHead                                   bool
},
) (any, error) {
	g, err := c.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	stream := g.Streams[in.LogStreamName]
	if stream == nil {
		return nil, logsNotFound("stream")
	}
	limit, err := logLimit(in.Limit, 10_000, 10_000)
	if err != nil {
		return nil, err
	}
	var all []logEvent
	for _, e := range stream.Events {
		if (in.StartTime == nil || e.Time >= *in.StartTime) && (in.EndTime == nil || e.Time < *in.EndTime) {
			all = append(all, e)
		}
	}
	from, to := max(0, len(all)-limit), len(all)
	switch {
	case in.NextToken != "":
		at, err := strconv.ParseInt(strings.TrimLeft(in.NextToken, "fb/"), 10, 64)
		if err != nil || at < 0 {
			return nil, errorf("InvalidParameterException", "The specified nextToken is invalid.")
		}
		i := slices.IndexFunc(all, func(e logEvent) bool { return e.Number >= at })
		if i < 0 {
			i = len(all)
		}
		if strings.HasPrefix(in.NextToken, "b/") {
			from, to = max(0, i-limit), i
		} else {
			from, to = i, min(len(all), i+limit)
		}
	case in.StartFromHead:
		from, to = 0, min(len(all), limit)
	}
	events := []map[string]any{}
	for _, e := range all[from:to] {
		events = append(events, map[string]any{"timestamp": e.Time, "message": e.Message, "ingestionTime": e.Ingested})
	}
	number := func(i int) int64 {
		if i < len(all) {
			return all[i].Number
		}
		return stream.Next
	}
	return map[string]any{
		"events": events, "nextForwardToken": fmt.Sprintf("f/%056d", number(to)), "nextBackwardToken": fmt.Sprintf("b/%056d", number(from)),
	}, nil
}

type filterInput struct {
	LogGroupName, LogGroupIdentifier string
	Streams                          []string `json:"logStreamNames"`
	Prefix                           string   `json:"logStreamNamePrefix"`
	StartTime, EndTime               *int64
	Pattern                          string `json:"filterPattern"`
	NextToken                        string
	Limit                            *int
}

// found is an event of some stream.
type found struct {
	stream *logStream
	event  logEvent
}

// id orders events by time, then by stream and place in it.
func (f found) id() string {
	return fmt.Sprintf("%020d/%s/%020d", f.event.Time, f.stream.Name, f.event.Number)
}

// filterLogEvents pages through streams of a group in the order of time. A token
// is the id of the last event before the page.
func filterLogEvents(c *call, in *filterInput) (any, error) {
	g, err := c.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	limit, err := logLimit(in.Limit, 10_000, 10_000)
	if err != nil {
		return nil, err
	}
	if len(in.Streams) > 0 && in.Prefix != "" {
		return nil, errorf("InvalidParameterException", "logStreamNamePrefix and logStreamNames can't both be given.")
	}
	match, err := parseFilter(in.Pattern)
	if err != nil {
		return nil, err
	}
	for _, name := range in.Streams {
		if g.Streams[name] == nil {
			return nil, logsNotFound("stream")
		}
	}
	var all []found
	for name, stream := range g.Streams {
		if len(in.Streams) > 0 && !slices.Contains(in.Streams, name) || !strings.HasPrefix(name, in.Prefix) {
			continue
		}
		for _, e := range stream.Events {
			if (in.StartTime == nil || e.Time >= *in.StartTime) && (in.EndTime == nil || e.Time <= *in.EndTime) && match(e.Message) {
				all = append(all, found{stream, e})
			}
		}
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.event.Time, b.event.Time), strings.Compare(a.stream.Name, b.stream.Name), cmp.Compare(a.event.Number, b.event.Number))
	})
	events, next := []map[string]any{}, ""
	for _, f := range all {
		if in.NextToken != "" && f.id() <= in.NextToken {
			continue
		}
		if len(events) == limit {
			break
		}
		next = f.id()
		events = append(events, map[string]any{
			"logStreamName": f.stream.Name, "timestamp": f.event.Time, "message": f.event.Message, "ingestionTime": f.event.Ingested, "eventId": eventID(f),
		})
	}
	out := map[string]any{"events": events, "searchedLogStreams": []any{}}
	if len(events) == limit && next != all[len(all)-1].id() {
		out["nextToken"] = next
	}
	return out, nil
}

// eventID is unique within a group: awscli's tail tells by it what it has shown.
func eventID(f found) string {
	hash := uint64(14695981039346656037)
	for _, b := range []byte(f.stream.Name) {
		hash = (hash ^ uint64(b)) * 1099511628211
	}
	return fmt.Sprintf("%020d%020d%016d", f.event.Time, hash, f.event.Number)
}

// parseFilter reads a filter pattern of terms: all of them, none of those after
// -, any of those after ?. Patterns for JSON and for columns are not imitated.
func parseFilter(pattern string) (func(message string) bool, error) {
	pattern = strings.TrimSpace(pattern)
	if strings.HasPrefix(pattern, "{") || strings.HasPrefix(pattern, "[") || strings.HasPrefix(pattern, "%") {
		return nil, errorf("InvalidParameterException", "Invalid filter pattern: the local ECS imitates patterns of terms only, not of JSON, columns or regular expressions")
	}
	var all, none, any []string
	for pattern != "" {
		list := &all
		switch pattern[0] {
		case '-':
			list, pattern = &none, pattern[1:]
		case '?':
			list, pattern = &any, pattern[1:]
		}
		var term string
		if rest, quoted := strings.CutPrefix(pattern, `"`); quoted {
			var closed bool
			if term, pattern, closed = strings.Cut(rest, `"`); !closed {
				return nil, errorf("InvalidParameterException", "Invalid filter pattern")
			}
		} else {
			term, pattern, _ = strings.Cut(pattern, " ")
		}
		*list = append(*list, term)
		pattern = strings.TrimSpace(pattern)
	}
	return func(message string) bool {
		in := func(term string) bool { return strings.Contains(message, term) }
		for _, term := range all {
			if !in(term) {
				return false
			}
		}
		return !slices.ContainsFunc(none, in) && (len(any) == 0 || len(all) > 0 || slices.ContainsFunc(any, in))
	}, nil
}
