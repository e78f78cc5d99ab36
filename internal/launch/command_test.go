package launch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/launch"
)

func TestSplitCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		command string
		want    []string
	}{
		{"python -m prefect.engine", []string{"python", "-m", "prefect.engine"}},
		{`  a  "b c" 'd "e"' f\ g `, []string{"a", "b c", `d "e"`, "f g"}},
		{`sh -c 'echo "$X" \n'`, []string{"sh", "-c", `echo "$X" \n`}},
		{`a "" ''`, []string{"a", "", ""}},
		{`"a\"b" "a\nb" a"b"c`, []string{`a"b`, `a\nb`, "abc"}},
		{"", nil},
	} {
		got, err := launch.SplitCommand(tt.command)
		if err != nil {
			t.Errorf("%s: %v", tt.command, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.command, diff)
		}
	}
	for _, command := range []string{`a "b`, `a 'b`, `a \`} {
		if got, err := launch.SplitCommand(command); err == nil {
			t.Errorf("%s: no error but %q", command, got)
		}
	}
}
