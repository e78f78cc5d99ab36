package jinja

import "github.com/leat-dev/leat/internal/pyrepr"

// walk visits the expressions of statements, outer before inner ones.
func walk(body []stmt, visit func(expr)) {
	for _, one := range body {
		exprs, bodies := parts(one)
		for _, e := range exprs {
			walkExpr(e, visit)
		}
		for _, b := range bodies {
			walk(b, visit)
		}
	}
}

func walkExpr(e expr, visit func(expr)) {
	if e == nil {
		return
	}
	visit(e)
	for _, c := range children(e) {
		walkExpr(c, visit)
	}
}

// parts are the expressions of a statement and the bodies within it.
func parts(one stmt) (exprs []expr, bodies [][]stmt) {
	switch one := one.(type) {
	case *outputStmt:
		for _, p := range one.parts {
			if e, ok := p.(expr); ok {
				exprs = append(exprs, e)
			}
		}
	case *ifStmt:
		return one.tests, append(append(bodies, one.bodies...), one.orelse)
	case *forStmt:
		return []expr{one.iter, one.test}, [][]stmt{one.body, one.orelse}
	case *setStmt:
		return []expr{one.value}, nil
	case *setBlockStmt:
		if one.filter != nil {
			exprs = append(exprs, one.filter)
		}
		return exprs, [][]stmt{one.body}
	case *withStmt:
		return one.values, [][]stmt{one.body}
	case *autoescapeStmt:
		return []expr{one.value}, [][]stmt{one.body}
	case *blockStmt:
		return nil, [][]stmt{one.body}
	case *macroStmt:
		return one.sig.defaults, [][]stmt{one.body}
	case *callStmt:
		return append(append(exprs, one.sig.defaults...), one.call), [][]stmt{one.body}
	case *filterStmt:
		return []expr{one.filter}, [][]stmt{one.body}
	case *loadStmt:
		return []expr{one.template}, nil
	}
	return exprs, nil
}

func (a *arguments) all() []expr {
	out := append(append([]expr{}, a.args...), a.values...)
	return append(out, a.star, a.stars)
}

// children are the expressions within an expression; some may be nil.
func children(e expr) []expr {
	switch e := e.(type) {
	case *listExpr:
		return e.items
	case *tupleExpr:
		return e.items
	case *dictExpr:
		return append(append([]expr{}, e.keys...), e.values...)
	case *attrExpr:
		return []expr{e.of}
	case *itemExpr:
		return []expr{e.of, e.key}
	case *sliceExpr:
		return []expr{e.start, e.stop, e.step}
	case *condExpr:
		return []expr{e.test, e.yes, e.no}
	case *andExpr:
		return []expr{e.left, e.right}
	case *orExpr:
		return []expr{e.left, e.right}
	case *notExpr:
		return []expr{e.of}
	case *compareExpr:
		return append([]expr{e.first}, e.rest...)
	case *binaryExpr:
		return []expr{e.left, e.right}
	case *unaryExpr:
		return []expr{e.of}
	case *concatExpr:
		return e.parts
	case *callExpr:
		return append([]expr{e.of}, e.all()...)
	case *filterExpr:
		return append([]expr{e.of}, e.all()...)
	case *testExpr:
		return append([]expr{e.of}, e.all()...)
	}
	return nil
}

// check finds what Jinja refuses when it compiles a template: filters and tests
// that nobody knows, except in the branches of a condition, which may never run.
func (st *state) check(body []stmt, soft bool) error {
	for _, one := range body {
		if b, ok := one.(*blockStmt); ok {
			if _, twice := st.blocks[b.name]; twice {
				return &pyError{"TemplateAssertionError", "block " + pyrepr.String(b.name) + " defined twice"}
			}
			st.blocks[b.name] = b
		}
		if f, ok := one.(*forStmt); ok {
			if err := checkTarget(f.target); err != nil {
				return err
			}
		}
		_, isIf := one.(*ifStmt)
		exprs, bodies := parts(one)
		for _, e := range exprs {
			if err := checkExpr(e, soft || isIf); err != nil {
				return err
			}
		}
		inner := isIf
		switch one.(type) {
		case *filterStmt, *setBlockStmt, *withStmt, *autoescapeStmt, *forStmt, *macroStmt, *callStmt, *blockStmt:
			inner = false
		}
		for _, b := range bodies {
			if err := st.check(b, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkTarget(e expr) error {
	switch e := e.(type) {
	case *nameExpr:
		if e.name == "loop" {
			return &pyError{"TemplateAssertionError", "Can't assign to special loop variable in for-loop target"}
		}
	case *tupleExpr:
		for _, item := range e.items {
			if err := checkTarget(item); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkExpr(e expr, soft bool) error {
	if e == nil {
		return nil
	}
	_, isCond := e.(*condExpr)
	soft = soft || isCond
	kind, name, known := "", "", true
	switch e := e.(type) {
	case *filterExpr:
		kind, name = "filter", e.name
		_, known = filterNamed(e.name)
	case *testExpr:
		kind, name = "test", e.name
		_, known = testNamed(e.name)
	}
	if !known && !soft {
		return &pyError{"TemplateAssertionError", "No " + kind + " named " + pyrepr.String(name) + "."}
	}
	for _, c := range children(e) {
		if err := checkExpr(c, soft); err != nil {
			return err
		}
	}
	return nil
}
