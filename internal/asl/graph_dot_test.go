package asl_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
)

func TestDOT(t *testing.T) {
	t.Parallel()
	m, ds := asl.Parse([]byte(drawn), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	want := `digraph machine {
    compound=true;
    node [shape=box, style=rounded];
    s0 [label="Get \"it\""];
    subgraph cluster_s1 {
        label="Each";
        s1 [shape=point];
        s2 [label="One"];
        s1 -> s2;
    }
    subgraph cluster_s3 {
        label="Both";
        s3 [shape=point];
        s4 [label="L"];
        s3 -> s4;
        s5 [label="R<"];
        s3 -> s5;
    }
    s6 [label="Again?"];
    s7 [label="Sorry"];
    s8 [label="Done"];
    start1 [shape=circle, label="", width=0.15, style=filled];
    start1 -> s0;
    s0 -> s1 [lhead=cluster_s1];
    s0 -> s7 [label="Catch", style=dashed];
    s1 -> s3 [ltail=cluster_s1, lhead=cluster_s3];
    s3 -> s6 [ltail=cluster_s3];
    s6 -> s0 [label="rule 0"];
    s6 -> s8 [label="Default"];
}
`
	if diff := cmp.Diff(want, asl.DOT(m)); diff != "" {
		t.Error(diff)
	}
}
