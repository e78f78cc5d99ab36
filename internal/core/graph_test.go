package core_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

func TestNodesAreLinkedAsOftenAsInputsMeet(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	id := func(n byte) core.ID { return core.ID{15: n} }
	input := func(n byte) string { return `{"input_type":"task_run","id":"` + id(n).String() + `"}` }
	node := func(n byte, inputs string) core.GraphNode {
		return core.GraphNode{ID: id(n), Start: at.Add(time.Duration(n) * time.Second), Inputs: json.RawMessage(inputs)}
	}
	nodes := []core.GraphNode{
		node(1, `{}`),
		node(2, `{"x":[`+input(1)+`],"y":[`+input(1)+`],"p":[{"input_type":"parameter","name":"n"}]}`),
		node(3, `{"x":[`+input(2)+`],"__parents__":[`+input(1)+`,`+input(1)+`]}`),
		node(4, `{"gone":[`+input(9)+`],"none":[],"odd":7}`),
	}
	ended := at.Add(time.Minute)
	nodes[0].End = &ended
	got := core.LinkNodes(nodes, time.Time{})
	want := [][3][]core.ID{
		{nil, {id(2), id(2)}, nil},
		{{id(1), id(1)}, {id(3), id(3), id(3)}, nil},
		{{id(2), id(2), id(2)}, nil, {id(1)}},
		{nil, nil, nil},
	}
	for i, n := range got {
		if diff := cmp.Diff(want[i], [3][]core.ID{n.Parents, n.Children, n.Encapsulating}); diff != "" {
			t.Errorf("node %d (-want +got)\n%s", i+1, diff)
		}
	}
	if later := core.LinkNodes(nodes, ended.Add(time.Second)); len(later) != 3 || len(later[0].Parents) != 2 {
		t.Errorf("after its end the first node is %v", later)
	}
}

func TestAGraphOfManyInputsIsToldShortly(t *testing.T) {
	t.Parallel()
	var inputs []byte
	for i := range 2000 {
		if i > 0 {
			inputs = append(inputs, ',')
		}
		inputs = append(inputs, `{"input_type":"task_run","id":"00000000-0000-0000-0000-000000000001"}`...)
	}
	list := json.RawMessage(`{"x":[` + string(inputs) + `]}`)
	nodes := []core.GraphNode{{ID: core.ID{15: 1}, Inputs: list}, {ID: core.ID{15: 2}, Inputs: list}}
	if got := core.LinkNodes(nodes, time.Time{}); len(got[1].Parents) != 2000 {
		t.Errorf("%d parents, want one for each input", len(got[1].Parents))
	}
}
