package jinja_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/jinja"
)

// hostile are templates that would take too much time or memory if nothing
// bounded them. Each must end with an error, soon.
func hostile() map[string]string {
	return map[string]string{
		"a text times a number":        `{{ "x" * 10**9 }}`,
		"a list times a number":        `{{ ([0] * 10**9) | length }}`,
		"a power":                      `{{ 9**(9**(9**9)) }}`,
		"a negative power of a power":  `{{ (10**400) ** 400 }}`,
		"products that grow":           `{% set ns = namespace(x=3) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}`,
		"a large range":                `{% for i in range(10**12) %}{% endfor %}`,
		"texts that double":            `{% set ns = namespace(x="ab") %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}`,
		"lists that double":            `{% set ns = namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}`,
		"lists within lists, shown":    `{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}`,
		"lists within lists, as JSON":  `{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}`,
		"lists within lists, compared": `{% set a = namespace(x=[1]) %}{% set b = namespace(x=[1]) %}{% for i in range(60) %}{% set a.x = [a.x, a.x] %}{% set b.x = [b.x, b.x] %}{% endfor %}{{ a.x == b.x }}`,
		"tuples within tuples, hashed": `{% set ns = namespace(x=(1,)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ {ns.x: 1} }}`,
		"depth without end":            `{% set ns = namespace(x=[]) %}{% for i in range(100) %}{% for j in range(100) %}{% set ns.x = [ns.x] %}{% endfor %}{% endfor %}{{ ns.x }}`,
		"a macro that calls itself":    `{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}`,
		"macros that fork":             `{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(50) }}`,
		"a loop that calls itself":     `{% set x = [[1]] %}{% for i in x recursive %}{{ loop(x) }}{% endfor %}`,
		"loops in loops":               `{% for i in range(100) %}{% for j in ("x" * 50000) %}x{% endfor %}{% endfor %}`,
		"loops one after another":      `{% macro f() %}{% for i in range(100) %}{% for j in range(100) %}{{ "y" * 1000 }}{% endfor %}{% endfor %}{% endmacro %}{{ f() }}`,
		"a wide %":                     `{{ "%999999999d" % 1 }}`,
		"a width by an argument":       `{{ "%*d" % (999999999, 1) }}`,
		"a wide format":                `{{ "{:>999999999}".format(1) }}`,
		"a precise format":             `{{ "{:.999999999f}".format(1) }}`,
		"a wide center":                `{{ "x" | center(10**9) }}`,
		"a wide zfill":                 `{{ "x".zfill(10**9) }}`,
		"wide tabs":                    `{{ "\t".expandtabs(10**9) }}`,
		"a wide indent":                `{{ "a\nb" | indent(10**9) }}`,
		"a replacement that grows":     `{{ ("x" * 100000) | replace("x", "y" * 100000) }}`,
		"a join that grows":            `{{ ("y" * 100000).join("x" * 1000) }}`,
		"a batch that is filled":       `{{ [1] | batch(10**9, 0) | list }}`,
		"many slices":                  `{{ [1] | slice(10**9) | list }}`,
		"indented JSON":                `{{ [[1]] | tojson(10**9) }}`,
		"a sum of lists":               `{{ ([[1] * 1000] * 1000) | sum(start=[]) }}`,
		"texts that are sought":        `{% for i in range(100) %}{% for j in range(100) %}{{ ("a" * 500000 ~ "b") in ("a" * 900000) }}{% endfor %}{% endfor %}`,
		"a scientific number":          `{{ 1 | humanize_scientific(10**9) }}`,
		"a wrap at each letter":        `{{ ("x" * 900000) | wordwrap(1, wrapstring="y" * 1000) }}`,
		"a shift of dates":             `{{ 10**30 | humanize_naturaldelta }}`,
		"a number of many digits":      `{{ 10**5000 }}`,
		"a call with a long list":      `{% macro f() %}{{ varargs | length }}{% endmacro %}{{ f(*("x" * 900000)) }}`,
	}
}

func TestHostileTemplatesEndWithAnError(t *testing.T) {
	t.Parallel()
	for name, source := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				out, err := jinja.Environment{}.Render(source, nil)
				if _, ok := errors.AsType[*jinja.RenderError](err); !ok {
					t.Errorf("rendered %d bytes, error %v", len(out), err)
				}
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Error("takes longer than a minute")
			}
		})
	}
}

func TestDeepTemplatesAreNoStackOverflow(t *testing.T) {
	t.Parallel()
	const n = 200_000
	for name, source := range map[string]string{
		"parentheses": "{{ " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) + " }}",
		"lists":       "{{ " + strings.Repeat("[", n),
		"not":         "{{ " + strings.Repeat("not ", n) + "1 }}",
		"minus":       "{{ " + strings.Repeat("-", n) + "1 }}",
		"sums":        "{{ 1" + strings.Repeat("+1", n) + " }}",
		"attributes":  "{{ a" + strings.Repeat(".b", n) + " }}",
		"filters":     "{{ a" + strings.Repeat("|e", n) + " }}",
		"if":          strings.Repeat("{% if x %}", n),
		"conditions":  "{{ 1" + strings.Repeat(" if 1 else 1", n) + " }}",
		"comparisons": "{{ (" + strings.Repeat("1 < (", n),
	} {
		var malformed *jinja.SyntaxError
		if _, err := jinja.Parse(source); !errors.As(err, &malformed) {
			t.Errorf("%s: got %v, want a syntax error", name, err)
		}
	}
}

func TestLoopsAreCounted(t *testing.T) {
	t.Parallel()
	loop := "{% for a in b %}{% endfor %}"
	if _, err := jinja.Parse(strings.Repeat(loop, 10)); err != nil {
		t.Error(err)
	}
	var refused *jinja.SecurityError
	if _, err := jinja.Parse(strings.Repeat(loop, 11)); !errors.As(err, &refused) ||
		refused.Message != "Contains 11 for loops. Templates can contain no more than 10 for loops." {
		t.Errorf("got %v", err)
	}
}

func FuzzTemplatesNeverPanic(f *testing.F) {
	for _, tt := range cases(f) {
		f.Add(tt.template)
	}
	vars := variables(f)
	f.Fuzz(func(t *testing.T, source string) {
		_, parseErr := jinja.Parse(source)
		var malformed *jinja.SyntaxError
		var refused *jinja.SecurityError
		if parseErr != nil && !errors.As(parseErr, &malformed) && !errors.As(parseErr, &refused) {
			t.Errorf("error of another kind: %v", parseErr)
		}
		var failed *jinja.RenderError
		out, err := jinja.Environment{}.Render(source, vars)
		if err != nil && !errors.As(err, &failed) {
			t.Errorf("error of another kind: %v", err)
		}
		if len(out) > 1<<20+len(source) {
			t.Errorf("rendered %d bytes", len(out))
		}
	})
}
