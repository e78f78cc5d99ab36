package jinja

import (
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// builtin is a function that a template may call: a filter, a test, a global or
// a method of a value.
type builtin struct {
	name   string // Python's name of the function, for messages
	method string // "builtin_function_or_method" when empty
	call   func(st *state, args []any, kw []kwarg) (any, error)
}

func (b *builtin) class() string {
	if b.method != "" {
		return b.method
	}
	return "builtin_function_or_method"
}

// param is a parameter of a function; required ones have no default.
type param struct {
	name     string
	fallback any
	optional bool
}

func req(name string) param               { return param{name: name} }
func opt(name string, fallback any) param { return param{name, fallback, true} }

// function makes a builtin of a Go function that receives a value for each
// parameter.
func function(name string, f func(st *state, a []any) (any, error), params ...param) *builtin {
	return &builtin{name: name, method: "function", call: func(st *state, args []any, kw []kwarg) (any, error) {
		a, err := bind(name, params, args, kw)
		if err != nil {
			return nil, err
		}
		return f(st, a)
	}}
}

// bind gives each parameter its value, with Python's messages if it cannot.
func bind(name string, params []param, args []any, kw []kwarg) ([]any, error) {
	if len(args) > len(params) {
		return nil, tooMany(name, params, len(args))
	}
	out := make([]any, len(params))
	given := make([]bool, len(params))
	for i, v := range args {
		out[i], given[i] = v, true
	}
	for _, k := range kw {
		i := slices.IndexFunc(params, func(p param) bool { return p.name == k.name })
		switch {
		case i < 0:
			return nil, typeError(name + "() got an unexpected keyword argument " + pyrepr.String(k.name))
		case given[i]:
			return nil, typeError(name + "() got multiple values for argument " + pyrepr.String(k.name))
		}
		out[i], given[i] = k.value, true
	}
	var missing []string
	for i, p := range params {
		switch {
		case given[i]:
		case p.optional:
			out[i] = p.fallback
		default:
			missing = append(missing, pyrepr.String(p.name))
		}
	}
	if len(missing) > 0 {
		return nil, typeError(name + "() missing " + strconv.Itoa(len(missing)) + " required positional argument" +
			plural(len(missing)) + ": " + enumerate(missing))
	}
	return out, nil
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// enumerate joins words as Python's messages do.
func enumerate(words []string) string {
	switch n := len(words); n {
	case 1:
		return words[0]
	case 2:
		return words[0] + " and " + words[1]
	default:
		return strings.Join(words[:n-1], ", ") + ", and " + words[n-1]
	}
}

// contextual tells whether a function of Jinja takes its context as an argument.
func contextual(name string) bool {
	switch name {
	case "sync_do_join", "sync_do_first", "do_truncate", "do_last", "do_sort", "sync_do_unique", "do_min", "do_max",
		"do_random", "do_wordwrap", "sync_do_groupby", "sync_do_sum", "do_replace", "do_xmlattr", "do_urlize", "do_attr",
		"_tojson", "ui_url", "ui_resource_events_url", "test_filter", "test_test":
		return true
	}
	return strings.HasPrefix(name, "humanize_")
}

func tooMany(name string, params []param, got int) error {
	required := 0
	for _, p := range params {
		if !p.optional {
			required++
		}
	}
	// Jinja passes its context to these before the template's own arguments.
	hidden := 0
	if contextual(name) {
		hidden = 1
	}
	got += hidden
	last := len(params) + hidden
	takes := strconv.Itoa(last)
	if required < len(params) {
		takes = "from " + strconv.Itoa(required+hidden) + " to " + takes
	}
	was := "were"
	if got == 1 {
		was = "was"
	}
	return typeError(name + "() takes " + takes + " positional argument" + plural(last) + " but " +
		strconv.Itoa(got) + " " + was + " given")
}

// macro is a macro, or the block of a call statement.
type macro struct {
	name      string
	anonymous bool
	sig       signature
	body      []stmt
	scope     *scope
	wants     wants
}

// wants says which of the special names a macro's body uses.
type wants struct{ caller, kwargs, varargs bool }

func (st *state) callMacro(m *macro, args []any, kw []kwarg) (any, error) {
	if err := st.enter(); err != nil {
		return nil, err
	}
	defer st.leave()
	inner := newScope(m.scope)
	rest := slices.Clone(kw)
	take := func(name string) (any, bool) {
		for i, k := range rest {
			if k.name == name {
				rest = slices.Delete(rest, i, i+1)
				return k.value, true
			}
		}
		return nil, false
	}
	n := len(m.sig.args)
	if err := st.bindMacro(m, args, take, inner); err != nil {
		return nil, err
	}
	if m.wants.caller && !slices.Contains(m.sig.args, "caller") {
		caller, ok := take("caller")
		if !ok || caller == nil {
			caller = &undefined{hint: "No caller defined", name: "caller"}
		}
		inner.set("caller", caller)
	}
	if m.wants.kwargs {
		d := newDict()
		for _, k := range rest {
			d.setText(k.name, k.value)
		}
		inner.set("kwargs", d)
	} else if len(rest) > 0 {
		if slices.ContainsFunc(rest, func(k kwarg) bool { return k.name == "caller" }) {
			return nil, typeError("macro " + pyrepr.String(m.name) + " was invoked with two values for the special" +
				" caller argument. This is most likely a bug.")
		}
		return nil, typeError("macro " + m.reprName() + " takes no keyword argument " + pyrepr.String(rest[0].name))
	}
	if m.wants.varargs {
		inner.set("varargs", newTuple(args[min(n, len(args)):]...))
	} else if len(args) > n {
		return nil, typeError("macro " + m.reprName() + " takes not more than " + strconv.Itoa(n) + " argument(s)")
	}
	text, err := st.capture(m.body, inner)
	if err != nil {
		return nil, err
	}
	return st.marked(text), nil
}

func (m *macro) reprName() string {
	if m.anonymous {
		return "None"
	}
	return pyrepr.String(m.name)
}

// bindMacro gives a macro's parameters their values in its scope.
func (st *state) bindMacro(m *macro, args []any, take func(string) (any, bool), inner *scope) error {
	n := len(m.sig.args)
	for i, name := range m.sig.args {
		if i < len(args) {
			inner.set(name, args[i])
			continue
		}
		if v, ok := take(name); ok {
			inner.set(name, v)
			continue
		}
		at := i - (n - len(m.sig.defaults))
		if at < 0 {
			inner.set(name, &undefined{hint: "parameter " + pyrepr.String(name) + " was not provided", name: name})
			continue
		}
		v, err := st.eval(m.sig.defaults[at], inner)
		if err != nil {
			return err
		}
		inner.set(name, v)
	}
	return nil
}

func (st *state) callBlock(one *callStmt, s *scope) error {
	of, err := st.eval(one.call.of, s)
	if err != nil {
		return err
	}
	args, kw, err := st.evalArgs(&one.call.arguments, s)
	if err != nil {
		return err
	}
	caller := &macro{
		name: "caller", anonymous: true, sig: one.sig, body: one.body, scope: s,
		wants: special(one.sig, one.body),
	}
	v, err := st.call(of, args, append(kw, kwarg{"caller", caller}))
	if err != nil {
		return err
	}
	return st.print(v)
}

// special finds the special names that a macro's body uses.
func special(sig signature, body []stmt) wants {
	var w wants
	visit := func(e expr) {
		if n, ok := e.(*nameExpr); ok {
			switch n.name {
			case "caller":
				w.caller = true
			case "kwargs":
				w.kwargs = !slices.Contains(sig.args, "kwargs")
			case "varargs":
				w.varargs = !slices.Contains(sig.args, "varargs")
			}
		}
	}
	walk(body, visit)
	return w
}
