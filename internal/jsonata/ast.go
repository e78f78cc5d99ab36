package jsonata

type nodeKind uint8

const (
	kindLiteral     nodeKind = iota
	kindName                 // a step: the field of the context
	kindWildcard             // *
	kindDescendant           // **
	kindParent               // %
	kindVariable             // $name
	kindRegex                // /pattern/
	kindPath                 // steps joined by dots
	kindSort                 // a step: ^(terms)
	kindBlock                // (a; b)
	kindArray                // [a, b]
	kindRange                // a..b, an item of an array
	kindObject               // {a: b}
	kindNegate               // -a
	kindBinary               // a op b
	kindCondition            // a ? b : c
	kindElvis                // a ?: b
	kindCoalesce             // a ?? b
	kindBind                 // $a := b
	kindCall                 // f(a)
	kindPartial              // f(?, a)
	kindPlaceholder          // the ? of a partial application
	kindLambda               // function($a) { b }
	kindTransform            // |a|b,c|
	kindApply                // a ~> b
)

// node is a compiled (sub)expression. Which fields a kind uses is said there;
// the modifiers may be on any.
type node struct {
	kind   nodeKind
	at     int    // offset that errors point to
	text   string // name, operator
	value  any    // literal; builtin function of a variable or nil; *regex
	lhs    *node  // operand, condition, callee, body of a function, pattern
	rhs    *node
	alt    *node   // else branch; deletions of a transform
	items  []*node // steps, items, arguments, expressions of a block
	pairs  []pair  // of an object
	terms  []term  // of a sort
	params []string
	sig    *signature

	modifiers
}

// modifiers are what postfix operators attach to an expression or step.
type modifiers struct {
	predicates []*node // filters of the whole value
	stages     []stage // filters and indexes of a step, for each context of it
	group      *node   // kindObject: group by
	keepArray  bool    // [] keeps a singleton within its array
	cons       bool    // an array constructor whose arrays a path must not flatten
	focus      string  // @$name
	index      string  // #$name
	tuple      bool    // the step or path passes bindings along
	ancestor   *slot   // what a % further on refers to
	slot       *slot   // of a kindParent
	seeking    []*slot // parents that were not found within this expression
	tail       bool    // a call whose value is that of the function around it
	binds      bool    // a block with variables of its own
}

type pair struct{ key, value *node }

type term struct {
	expr       *node
	descending bool
}

// stage is one filter or index binding of a step, in their order.
type stage struct {
	filter *node  // nil for an index
	index  string // variable for the place
}

// slot joins a % to the step whose context it stands for: both name the same
// hidden variable. level is how many steps are still to be gone back.
type slot struct {
	name  string
	level int
}
