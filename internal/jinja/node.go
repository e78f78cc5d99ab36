package jinja

// stmt is a statement, expr an expression; both are the structs below.
type (
	stmt any
	expr interface{ at() int }
	pos  int // the line, from 1
)

func (p pos) at() int { return int(p) }

type (
	outputStmt struct{ parts []any } // string or expr
	ifStmt     struct {
		tests  []expr
		bodies [][]stmt
		orelse []stmt
	}
	forStmt struct {
		line      int
		target    expr
		iter      expr
		test      expr
		body      []stmt
		orelse    []stmt
		recursive bool
	}
	setStmt      struct{ target, value expr }
	setBlockStmt struct {
		target expr
		filter *filterExpr
		body   []stmt
	}
	withStmt struct {
		targets, values []expr
		body            []stmt
	}
	autoescapeStmt struct {
		value expr
		body  []stmt
	}
	blockStmt struct {
		line int
		name string
		body []stmt
	}
	signature struct {
		args     []string
		defaults []expr
	}
	macroStmt struct {
		line int
		name string
		sig  signature
		body []stmt
	}
	callStmt struct {
		line int
		sig  signature
		call *callExpr
		body []stmt
	}
	filterStmt struct {
		filter *filterExpr
		body   []stmt
	}
	// loadStmt is include, import, from or extends, which want a loader.
	loadStmt struct{ template expr }
)

type (
	constExpr struct {
		pos
		value any
	}
	nameExpr struct {
		pos
		name string
	}
	nsRefExpr struct {
		pos
		name, attr string
	}
	listExpr struct {
		pos
		items []expr
	}
	tupleExpr struct {
		pos
		items []expr
	}
	dictExpr struct {
		pos
		keys, values []expr
	}
	attrExpr struct {
		pos
		of   expr
		name string
	}
	itemExpr struct {
		pos
		of, key expr
	}
	sliceExpr struct {
		pos
		start, stop, step expr
	}
	condExpr struct {
		pos
		test, yes, no expr
	}
	andExpr struct {
		pos
		left, right expr
	}
	orExpr struct {
		pos
		left, right expr
	}
	notExpr struct {
		pos
		of expr
	}
	compareExpr struct {
		pos
		first expr
		ops   []string
		rest  []expr
	}
	binaryExpr struct {
		pos
		op          string
		left, right expr
	}
	unaryExpr struct {
		pos
		op string
		of expr
	}
	concatExpr struct {
		pos
		parts []expr
	}
	arguments struct {
		args   []expr
		names  []string
		values []expr
		star   expr
		stars  expr
	}
	callExpr struct {
		pos
		of expr
		arguments
	}
	filterExpr struct {
		pos
		of   expr // nil in a filter block: the block's text
		name string
		arguments
	}
	testExpr struct {
		pos
		of   expr
		name string
		arguments
	}
)

// nodeName is what Jinja calls an expression that is no target of an assignment.
func nodeName(e expr) string {
	switch e := e.(type) {
	case *constExpr:
		return "const"
	case *nameExpr:
		return "name"
	case *listExpr:
		return "list"
	case *tupleExpr:
		return "tuple"
	case *dictExpr:
		return "dict"
	case *attrExpr:
		return "getattr"
	case *itemExpr:
		return "getitem"
	case *condExpr:
		return "condexpr"
	case *andExpr:
		return "and"
	case *orExpr:
		return "or"
	case *notExpr:
		return "not"
	case *compareExpr:
		return "compare"
	case *binaryExpr:
		return e.op
	case *unaryExpr:
		return map[string]string{"-": "neg", "+": "pos"}[e.op]
	case *concatExpr:
		return "concat"
	case *callExpr:
		return "call"
	case *filterExpr:
		return "filter"
	case *testExpr:
		return "test"
	}
	return "expr"
}

func canAssign(e expr) bool {
	switch e := e.(type) {
	case *nsRefExpr:
		return true
	case *nameExpr:
		switch e.name {
		case "true", "false", "none", "True", "False", "None":
			return false
		}
		return true
	case *tupleExpr:
		for _, item := range e.items {
			if !canAssign(item) {
				return false
			}
		}
		return true
	}
	return false
}
