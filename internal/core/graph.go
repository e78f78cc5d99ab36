package core

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// TaskInput is an input of a task run.
type TaskInput struct {
	// Parameter names the argument; ParentsInput is that of the task around it.
	Parameter string
	Type      string
	// ID is that of the run that the input is the result of; zero for other inputs.
	ID ID
}

// ParentsInput is the parameter under which a task run names the task runs that enclose it.
const ParentsInput = "__parents__"

// TaskInputs reads the inputs of a task run in their order. A parameter without
// any has an input of no type.
func TaskInputs(raw json.RawMessage) []TaskInput {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var out []TaskInput
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return out
		}
		var list []struct {
			Type string `json:"input_type"`
			ID   string `json:"id"`
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return out
		}
		if json.Unmarshal(value, &list) != nil {
			continue // an input that is none
		}
		name, _ := key.(string)
		if len(list) == 0 {
			out = append(out, TaskInput{Parameter: name})
		}
		for _, in := range list {
			var id ID
			if id.UnmarshalText([]byte(in.ID)) != nil {
				id = ID{}
			}
			out = append(out, TaskInput{Parameter: name, Type: in.Type, ID: id})
		}
	}
	return out
}

// LinkedNode is a node of a flow run's graph with its neighbours. As with the
// reference, a parent occurs as often as there are pairs of an input that leads
// to it and an input of its own, and a child likewise; in a graph where these
// are more than maxPairs, once for each input that leads to it.
type LinkedNode struct {
	GraphNode
	Parents, Children, Encapsulating []ID
}

// maxPairs is how many pairs of inputs a graph may tell of.
const maxPairs = 500_000

// LinkNodes finds the neighbours of nodes, which are in the order of their ids,
// and returns those that have not ended before the time in the order of their
// start. Prefect REST: GET /flow_runs/{id}/graph-v2.
func LinkNodes(nodes []GraphNode, since time.Time) []LinkedNode {
	linked := make([]LinkedNode, len(nodes))
	at := map[ID]int{}
	rows := map[ID]int{} // how often the node stands in the reference's table of edges
	inputs := make([][]TaskInput, len(nodes))
	for i, n := range nodes {
		linked[i].GraphNode = n
		at[n.ID] = i
		inputs[i] = TaskInputs(n.Inputs)
		rows[n.ID] += max(1, len(inputs[i]))
	}
	once := pairs(inputs, rows) > maxPairs
	for i, n := range nodes {
		for _, in := range inputs[i] {
			p, ok := at[in.ID]
			times := rows[in.ID]
			if once {
				times = 1
			}
			switch {
			case !ok:
			case in.Parameter == ParentsInput:
				if !slices.Contains(linked[i].Encapsulating, in.ID) {
					linked[i].Encapsulating = append(linked[i].Encapsulating, in.ID)
				}
			default:
				for range times {
					linked[i].Parents = append(linked[i].Parents, in.ID)
					linked[p].Children = append(linked[p].Children, n.ID)
				}
			}
		}
	}
	linked = slices.DeleteFunc(linked, func(n LinkedNode) bool { return n.End != nil && n.End.Before(since) })
	slices.SortStableFunc(linked, func(a, b LinkedNode) int {
		return cmp.Or(a.Start.Compare(b.Start), compareEnds(a.End, b.End))
	})
	return linked
}

// pairs counts how many parents all nodes together have.
func pairs(inputs [][]TaskInput, rows map[ID]int) int {
	n := 0
	for _, list := range inputs {
		for _, in := range list {
			n += rows[in.ID]
		}
	}
	return n
}

// compareEnds puts what has not ended first.
func compareEnds(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(*b)
}
