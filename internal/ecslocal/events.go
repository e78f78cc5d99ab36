package ecslocal

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// rule is a rule of EventBridge on the default bus.
type rule struct {
	Name        string        `json:"Name"`
	Arn         string        `json:"Arn"`
	Pattern     string        `json:"EventPattern,omitempty"`
	Schedule    string        `json:"ScheduleExpression,omitempty"`
	State       string        `json:"State"`
	Description string        `json:"Description,omitempty"`
	RoleArn     string        `json:"RoleArn,omitempty"`
	Bus         string        `json:"EventBusName"`
	Targets     []*ruleTarget `json:"LeatTargets,omitempty"`
}

// ruleTarget is where the events of a rule go.
type ruleTarget struct {
	ID          string            `json:"Id"`
	Arn         string            `json:"Arn"`
	RoleArn     string            `json:"RoleArn,omitempty"`
	Input       string            `json:"Input,omitempty"`
	InputPath   string            `json:"InputPath,omitempty"`
	Transformer *inputTransformer `json:"InputTransformer,omitempty"`
	SQS         *struct {
		Group string `json:"MessageGroupId"`
	} `json:"SqsParameters,omitempty"`
}

type inputTransformer struct {
	Paths    map[string]string `json:"InputPathsMap,omitempty"`
	Template string            `json:"InputTemplate"`
}

// event is an event as its targets get it.
type event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// isoTime is how EventBridge writes times.
const isoTime = "2006-01-02T15:04:05Z"

// taskEvent tells the rules that a task has changed; the caller holds the lock.
func (s *Server) taskEvent(st *site, t *task, now time.Time) {
	if take(&s.faults.LostEvents) {
		s.cfg.Log.Info("a task state change is not told, on purpose", "task", t.id(), "status", t.LastStatus)
		return
	}
	if len(st.Rules) == 0 {
		return
	}
	detail, err := eventDetail(t, now)
	if err != nil {
		s.cfg.Log.Error("telling of a task", "task", t.id(), "error", err)
		return
	}
	s.publish(st, event{
		Version: "0", ID: newUUID(), DetailType: "ECS Task State Change", Source: "aws.ecs", Account: st.Account, Region: st.Region,
		Time: now.UTC().Format(isoTime), Resources: []string{t.TaskArn}, Detail: detail,
	})
}

// eventDetail is a task as its events show it: times as text, no tags.
func eventDetail(t *task, now time.Time) (json.RawMessage, error) {
	text, err := json.Marshal(t.copy())
	if err != nil {
		return nil, err
	}
	var detail map[string]json.RawMessage
	if err := json.Unmarshal(text, &detail); err != nil {
		return nil, err
	}
	for name, value := range detail {
		var when epoch
		if strings.HasSuffix(name, "At") && json.Unmarshal(value, &when) == nil {
			detail[name], _ = json.Marshal(when.UTC().Format("2006-01-02T15:04:05.000Z"))
		}
	}
	delete(detail, "tags")
	detail["updatedAt"], _ = json.Marshal(now.UTC().Format("2006-01-02T15:04:05.000Z"))
	return json.Marshal(detail)
}

// publish hands an event to the targets of all rules that it matches.
func (s *Server) publish(st *site, e event) {
	text, err := json.Marshal(e)
	if err != nil {
		return
	}
	var value any
	if json.Unmarshal(text, &value) != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(st.Rules)) {
		r := st.Rules[name]
		if r.State != "ENABLED" || r.Pattern == "" {
			continue
		}
		pattern, err := parsePattern(r.Pattern)
		if err != nil || !pattern.matches(value) {
			continue
		}
		for _, t := range r.Targets {
			s.deliver(r, t, text, value)
		}
	}
}

// deliver puts an event into a target's queue; another kind of target is none.
func (s *Server) deliver(r *rule, t *ruleTarget, text []byte, value any) {
	parts := strings.Split(t.Arn, ":")
	other := s.sites[siteKey{parts[4], parts[3]}]
	if other == nil || other.Queues[parts[5]] == nil {
		s.cfg.Log.Warn("the queue of a rule's target is not there", "rule", r.Name, "target", t.Arn)
		return
	}
	m := &message{ID: newUUID(), Body: t.body(text, value), Sent: at(s.cfg.Now())}
	if t.SQS != nil {
		m.Group = t.SQS.Group
	}
	other.Queues[parts[5]].add(m, s.cfg.Now())
}

// body is what a target gets of an event.
func (t *ruleTarget) body(text []byte, value any) string {
	switch {
	case t.Input != "":
		return t.Input
	case t.InputPath != "":
		part, _ := json.Marshal(follow(value, t.InputPath))
		return string(part)
	case t.Transformer != nil:
		return t.Transformer.apply(value)
	}
	return string(text)
}

// follow goes the path $.a.b into a value; null where there is nothing.
func follow(value any, path string) any {
	for step := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(path, "$"), "."), ".") {
		if step == "" {
			continue
		}
		object, _ := value.(map[string]any)
		value = object[step]
	}
	return value
}

// apply fills a template's <names>: in quotes as text, else as JSON.
func (x *inputTransformer) apply(value any) string {
	names := regexp.MustCompile(`<[A-Za-z0-9_.\-]+>`)
	inText := false
	var out bytes.Buffer
	rest := x.Template
	for {
		m := names.FindStringIndex(rest)
		before := rest
		if m != nil {
			before = rest[:m[0]]
		}
		inText = inText != (strings.Count(before, `"`)%2 == 1)
		out.WriteString(before)
		if m == nil {
			return out.String()
		}
		name := rest[m[0]+1 : m[1]-1]
		path, known := x.Paths[name]
		switch {
		case known:
			found := follow(value, path)
			part, _ := json.Marshal(found)
			if _, isText := found.(string); isText && inText {
				part = part[1 : len(part)-1]
			}
			out.Write(part)
		case name == "aws.events.event.json" || name == "aws.events.event":
			part, _ := json.Marshal(value)
			out.Write(part)
		default:
			out.WriteString(rest[m[0]:m[1]])
		}
		rest = rest[m[1]:]
	}
}

func ruleNotFound(name string) error {
	return errorf("ResourceNotFoundException", "Rule %s does not exist on EventBus default.", name)
}

// ruleInput is what most operations on rules take.
type ruleInput struct {
	Name, Rule, EventBusName, EventPattern, ScheduleExpression, State, Description, RoleArn, NamePrefix, NextToken string

	Limit   *int
	Targets []*ruleTarget
	IDs     []string `json:"Ids"`
	Event   string
}

// rule returns the rule that an input names.
func (st *site) rule(in *ruleInput) (*rule, error) {
	if in.EventBusName != "" && lastPart(in.EventBusName) != "default" {
		return nil, errorf("ResourceNotFoundException", "Event bus %s does not exist.", in.EventBusName)
	}
	name := in.Name + in.Rule
	if r := st.Rules[name]; r != nil {
		return r, nil
	}
	return nil, ruleNotFound(name)
}

var ruleName = regexp.MustCompile(`^[\.\-_A-Za-z0-9]{1,64}$`)

func putRule(c *call, in *ruleInput) (any, error) {
	old := c.Rules[in.Name]
	switch {
	case in.EventBusName != "" && lastPart(in.EventBusName) != "default":
		return nil, errorf("ResourceNotFoundException", "Event bus %s does not exist.", in.EventBusName)
	case !ruleName.MatchString(in.Name):
		return nil, errorf("ValidationException", "1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", in.Name)
	case in.EventPattern == "" && in.ScheduleExpression == "":
		return nil, errorf("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case in.State != "" && !slices.Contains([]string{"ENABLED", "DISABLED"}, in.State):
		return nil, errorf("ValidationException", "1 validation error detected: Value '%s' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED]", in.State)
	}
	if in.EventPattern != "" {
		if _, err := parsePattern(in.EventPattern); err != nil {
			return nil, errorf("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
		}
	}
	r := &rule{
		Name: in.Name, Arn: "arn:aws:events:" + c.Region + ":" + c.Account + ":rule/" + in.Name, Pattern: in.EventPattern, Schedule: in.ScheduleExpression,
		State: in.State, Description: in.Description, RoleArn: in.RoleArn, Bus: "default",
	}
	if r.State == "" {
		r.State = "ENABLED"
	}
	if old != nil {
		r.Targets = old.Targets
	}
	c.Rules[in.Name] = r
	return map[string]any{"RuleArn": r.Arn}, nil
}

// show is a rule without its targets.
func (r *rule) show() *rule {
	out := *r
	out.Targets = nil
	return &out
}

func describeRule(c *call, in *ruleInput) (any, error) {
	r, err := c.rule(in)
	if err != nil {
		return nil, err
	}
	return r.show(), nil
}

func listRules(c *call, in *ruleInput) (any, error) {
	limit, err := logLimit(in.Limit, 100, 100)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range c.Rules {
		if strings.HasPrefix(name, in.NamePrefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names, next := page(names, in.NextToken, limit)
	rules := []*rule{}
	for _, name := range names {
		rules = append(rules, c.Rules[name].show())
	}
	out := map[string]any{"Rules": rules}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}

func deleteRule(c *call, in *ruleInput) (any, error) {
	r := c.Rules[in.Name]
	if r != nil && len(r.Targets) > 0 {
		return nil, errorf("ValidationException", "Rule can't be deleted since it has targets.")
	}
	delete(c.Rules, in.Name)
	return nil, nil
}

func enableRule(c *call, in *ruleInput) (any, error) { return c.setState(in, "ENABLED") }

func disableRule(c *call, in *ruleInput) (any, error) { return c.setState(in, "DISABLED") }

func (c *call) setState(in *ruleInput, state string) (any, error) {
	r, err := c.rule(in)
	if err == nil {
		r.State = state
	}
	return nil, err
}

// queueArn is the only kind of target that there is here.
var queueArn = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+$`)

func putTargets(c *call, in *ruleInput) (any, error) {
	r, err := c.rule(in)
	if err != nil {
		return nil, err
	}
	failed := []map[string]string{}
	for _, t := range in.Targets {
		if t == nil || t.ID == "" || !queueArn.MatchString(t.Arn) {
			id := ""
			if t != nil {
				id = t.ID
			}
			failed = append(failed, map[string]string{
				"TargetId": id, "ErrorCode": "ValidationException", "ErrorMessage": "The local ECS delivers events to SQS queues only; the target's Arn is none.",
			})
			continue
		}
		r.Targets = append(slices.DeleteFunc(r.Targets, func(old *ruleTarget) bool { return old.ID == t.ID }), t)
	}
	return map[string]any{"FailedEntryCount": len(failed), "FailedEntries": failed}, nil
}

func listTargetsByRule(c *call, in *ruleInput) (any, error) {
	r, err := c.rule(in)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Targets": list(r.Targets)}, nil
}

func removeTargets(c *call, in *ruleInput) (any, error) {
	r, err := c.rule(in)
	if err != nil {
		return nil, err
	}
	failed := []map[string]string{}
	for _, id := range in.IDs {
		if !slices.ContainsFunc(r.Targets, func(t *ruleTarget) bool { return t.ID == id }) {
			failed = append(failed, map[string]string{"TargetId": id, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": "Target " + id + " does not exist."})
		}
	}
	r.Targets = slices.DeleteFunc(r.Targets, func(t *ruleTarget) bool { return slices.Contains(in.IDs, t.ID) })
	return map[string]any{"FailedEntryCount": len(failed), "FailedEntries": failed}, nil
}

func putEvents(c *call, in *struct {
	Entries []struct {
		Time                       *epoch
		Source, DetailType, Detail string
		EventBusName               string
		Resources                  []string
	}
},
) (any, error) {
	if len(in.Entries) == 0 || len(in.Entries) > 10 {
		return nil, errorf("ValidationException", "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and 10")
	}
	results, failed := []map[string]string{}, 0
	for _, entry := range in.Entries {
		code, text := "", ""
		var object map[string]any
		switch {
		case entry.Source == "":
			code, text = "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."
		case entry.DetailType == "":
			code, text = "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."
		case entry.Detail == "":
			code, text = "InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."
		case strings.HasPrefix(entry.Source, "aws."):
			code, text = "NotAuthorizedForSourceException", "Not authorized for the source."
		case json.Unmarshal([]byte(entry.Detail), &object) != nil:
			code, text = "MalformedDetail", "Detail is malformed."
		}
		if code != "" {
			failed++
			results = append(results, map[string]string{"ErrorCode": code, "ErrorMessage": text})
			continue
		}
		when := c.now
		if entry.Time != nil {
			when = entry.Time.Time
		}
		id := newUUID()
		if entry.EventBusName == "" || lastPart(entry.EventBusName) == "default" {
			c.server.publish(c.site, event{
				Version: "0", ID: id, DetailType: entry.DetailType, Source: entry.Source, Account: c.Account, Region: c.Region,
				Time: when.UTC().Format(isoTime), Resources: list(entry.Resources), Detail: json.RawMessage(entry.Detail),
			})
		}
		results = append(results, map[string]string{"EventId": id})
	}
	return map[string]any{"FailedEntryCount": failed, "Entries": results}, nil
}

func testEventPattern(_ *call, in *ruleInput) (any, error) {
	pattern, err := parsePattern(in.EventPattern)
	if err != nil {
		return nil, errorf("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
	}
	var value any
	if err := json.Unmarshal([]byte(in.Event), &value); err != nil {
		return nil, errorf("ValidationException", "Parameter Event is not valid. Reason: Provided event is not valid JSON.")
	}
	return map[string]any{"Result": pattern.matches(value)}, nil
}
