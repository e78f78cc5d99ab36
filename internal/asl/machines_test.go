package asl_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/leat-dev/leat/internal/value"
)

// machineGen draws random machines. Every state hands "list" on, so that Maps find
// their items.
type machineGen struct {
	r       *rand.Rand
	n       int
	jsonata bool
}

func (g *machineGen) chance(percent int) bool { return g.r.IntN(100) < percent }

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// machine is a definition.
func (g *machineGen) machine() string {
	g.jsonata = g.chance(50)
	m := g.graph(0)
	if g.jsonata {
		m.Set("QueryLanguage", "JSONata")
	}
	if g.chance(20) {
		m.Set("TimeoutSeconds", int64(100+g.r.IntN(1000)))
	}
	return value.String(m)
}

// graph is a chain of states, each of which may leap forward by a Catch, and a
// Choice back.
func (g *machineGen) graph(depth int) *value.Object {
	names := make([]string, 1+g.r.IntN(5-depth))
	for i := range names {
		g.n++
		names[i] = fmt.Sprintf("S%d", g.n)
	}
	states := value.NewObject(len(names))
	for i, name := range names {
		next := ""
		if i+1 < len(names) {
			next = names[i+1]
		}
		states.Set(name, g.state(depth, names, i, next))
	}
	return value.Of("StartAt", names[0], "States", states)
}

func (g *machineGen) state(depth int, names []string, i int, next string) *value.Object {
	kinds := []string{"Pass", "Task", "Task", "Task", "Wait"}
	if depth < 3 {
		kinds = append(kinds, "Parallel", "Map", "Map")
	}
	if depth == 0 {
		kinds = append(kinds, "Distributed")
	}
	if next != "" {
		kinds = append(kinds, "Choice")
	} else if len(names) > 1 {
		kinds = append(kinds, "Succeed", "Fail")
	}
	kind := pick(g.r, kinds...)
	s := value.Of("Type", kind)
	switch kind {
	case "Choice":
		g.choice(s, names[g.r.IntN(i+1)], next)
		return s
	case "Succeed":
		return s
	case "Fail":
		s.Set("Error", pick(g.r, "Oops", "Bang"))
		return s
	case "Pass":
		g.assign(s)
	case "Wait":
		s.Set("Seconds", int64(g.r.IntN(50)))
	case "Task":
		g.task(s)
	case "Parallel":
		branches := make([]any, 1+g.r.IntN(3))
		for b := range branches {
			branches[b] = g.graph(depth + 1)
		}
		s.Set("Branches", branches)
	case "Map", "Distributed":
		g.mapState(s, kind, depth)
	}
	if kind == "Task" || kind == "Parallel" || kind == "Map" || kind == "Distributed" {
		g.result(s, kind)
		g.failures(s, names[i:])
	}
	if next == "" {
		s.Set("End", true)
	} else {
		s.Set("Next", next)
	}
	return s
}

// choice leads back by chance, and else on.
func (g *machineGen) choice(s *value.Object, back, next string) {
	s.Set("Default", next)
	if g.jsonata {
		s.Set("Choices", []any{value.Of("Condition", "{% $random() > 0.6 %}", "Next", back), value.Of("Condition", "{% $random() > 2 %}", "Next", next)})
		return
	}
	s.Set("Choices", []any{value.Of("Variable", pick(g.r, "$.list[0]", "$$.State.Name"), "NumericLessThan", int64(g.r.IntN(3)), "Next", back)})
}

func (g *machineGen) assign(s *value.Object) {
	name := pick(g.r, "v", "w")
	if g.jsonata {
		s.Set("Assign", value.Of(name, pick(g.r, "{% $uuid() %}", "{% $millis() %}", "{% $states.context.State.EnteredTime %}", "{% $random() %}")))
		return
	}
	s.Set("Assign", value.Of(name+".$", pick(g.r, "States.UUID()", "States.MathRandom(1, 100)", "$$.Execution.Name", "$.list")))
}

func (g *machineGen) task(s *value.Object) {
	resource := pick(g.r, "arn:aws:states:::sqs:sendMessage", "arn:aws:lambda:us-east-1:000000000000:function:f", "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
		"arn:aws:states:us-east-1:000000000000:activity:a", "arn:aws:states:::ecs:runTask.sync")
	s.Set("Resource", resource)
	if g.jsonata {
		s.Set("Arguments", value.Of("list", "{% $states.input.list %}", "r", "{% $random() %}"))
	} else {
		s.Set("Parameters", value.Of("list.$", "$.list", "n.$", "States.UUID()"))
	}
	if g.chance(40) {
		s.Set("TimeoutSeconds", int64(2+g.r.IntN(60)))
	}
	if g.chance(30) {
		g.assign(s)
	}
}

func (g *machineGen) mapState(s *value.Object, kind string, depth int) {
	s.Set("Type", "Map")
	processor := g.graph(depth + 1)
	if kind == "Distributed" {
		g.n++
		name := fmt.Sprintf("I%d", g.n)
		processor = value.Of("StartAt", name, "States", value.Of(name, value.Of("Type", "Pass", "End", true)))
		processor.Set("ProcessorConfig", value.Of("Mode", "DISTRIBUTED", "ExecutionType", "STANDARD"))
	}
	s.Set("ItemProcessor", processor)
	if g.jsonata {
		s.Set("Items", "{% $states.input.list %}")
		s.Set("ItemSelector", value.Of("list", "{% $states.input.list %}", "i", "{% $states.context.Map.Item.Index %}", "u", "{% $random() %}"))
	} else {
		s.Set("ItemsPath", "$.list")
		s.Set("ItemSelector", value.Of("list.$", "$.list", "i.$", "$$.Map.Item.Value", "u.$", "States.UUID()"))
	}
	if g.chance(50) {
		s.Set("MaxConcurrency", int64(g.r.IntN(3)))
	}
}

// result drops a state's result, or keeps a task's in a place that the next one
// overwrites.
func (g *machineGen) result(s *value.Object, kind string) {
	switch {
	case g.jsonata && kind == "Distributed": // the history would not tell what it was
	case g.jsonata:
		s.Set("Output", "{% $states.input %}")
	case kind == "Task" && g.chance(50):
		s.Set("ResultPath", "$.result")
	default:
		s.Set("ResultPath", nil)
	}
}

// failures adds a Retry and a Catch.
func (g *machineGen) failures(s *value.Object, names []string) {
	if g.chance(50) {
		r := value.Of("ErrorEquals", []any{pick(g.r, "States.ALL", "Oops", "States.Timeout", "States.TaskFailed")},
			"IntervalSeconds", int64(1+g.r.IntN(5)), "MaxAttempts", int64(g.r.IntN(4)), "BackoffRate", 1.5)
		if g.chance(50) {
			r.Set("JitterStrategy", "FULL")
		}
		s.Set("Retry", []any{r})
	}
	if len(names) < 2 || !g.chance(50) {
		return
	}
	c := value.Of("ErrorEquals", []any{pick(g.r, "States.ALL", "Bang", "States.TaskFailed")}, "Next", names[1+g.r.IntN(len(names)-1)])
	if g.jsonata {
		c.Set("Output", "{% $merge([$states.input, {'error': $states.errorOutput}]) %}")
	} else {
		c.Set("ResultPath", "$.error")
	}
	s.Set("Catch", []any{c})
}
