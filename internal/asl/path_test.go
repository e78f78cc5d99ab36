package asl

import (
	"errors"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/value"
)

func parsed(t *testing.T, text string) any {
	t.Helper()
	v, err := value.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// fixedRoot is a document in which $ alone means something.
type fixedRoot struct{ doc any }

func (r fixedRoot) start(p *path) (any, error) {
	if p.root != rootInput {
		return nil, errors.New("the path starts at nothing known here")
	}
	return r.doc, nil
}

const store = `{"store": {"book": [
	{"category": "reference", "author": "Rees", "title": "Sayings", "price": 8.95},
	{"category": "fiction", "author": "Waugh", "title": "Sword", "price": 12.99, "isbn": "1"},
	{"category": "fiction", "author": "Melville", "title": "Moby Dick", "isbn": "0-553", "price": 8.99}],
	"bicycle": {"color": "red", "price": 19.95}},
	"limit": 10, "n": null, "text": "abc", "a b": {"c.d": [1, [2, 3]]}, "tags": ["x", "y"], "nums": [4, 1, 3], "in-put": 1}`

func TestPathsFindWhatTheyName(t *testing.T) {
	t.Parallel()
	doc := parsed(t, store)
	for _, tt := range []struct{ path, want string }{
		{"$.limit", "10"},
		{"$.in-put", "1"},
		{"$['a b']['c.d'][0]", "1"},
		{`$["a b"]['c.d'][1][-1]`, "3"},
		{"$.n", "null"},
		{"$.store.book[0].title", `"Sayings"`},
		{"$.store.book[-1].title", `"Moby Dick"`},
		{"$.store.book[*].title", `["Sayings","Sword","Moby Dick"]`},
		{"$.store.book[1:].title", `["Sword","Moby Dick"]`},
		{"$.store.book[:1].title", `["Sayings"]`},
		{"$.store.book[-2:].title", `["Sword","Moby Dick"]`},
		{"$.store.book[0:3:2].title", `["Sayings","Moby Dick"]`},
		{"$.store.book[0,2].title", `["Sayings","Moby Dick"]`},
		{"$.store.book[0]['title','price']", `{"title":"Sayings","price":8.95}`},
		{"$..price", "[8.95,12.99,8.99,19.95]"},
		{"$.store..['color']", `["red"]`},
		{"$.store.*.color", `["red"]`},
		{"$.store.book[?(@.price < 10)].title", `["Sayings","Moby Dick"]`},
		{"$.store.book[?(@.price < $.limit && @.isbn)].title", `["Moby Dick"]`},
		{"$.store.book[?(@.category == 'reference' || @.author == \"Waugh\")].author", `["Rees","Waugh"]`},
		{"$.store.book[?(!(@.isbn))].author", `["Rees"]`},
		{"$.store.book[?(@.author =~ /.*VILLE/i)].author", `["Melville"]`},
		{"$.store.book[?(@.author in ['Rees', 'Waugh'])].price", "[8.95,12.99]"},
		{"$.store.book[?(@.author nin ['Rees', 'Waugh'])].price", "[8.99]"},
		{"$.store.book[?(@.title contains 'Dick')].price", "[8.99]"},
		{"$.store.book[?(@.price != 8.95)].price", "[12.99,8.99]"},
		{"$.store.book[?(@['price'] >= 12.99)].price", "[12.99]"},
		{"$.store.book[?(@.price <= 8.95)].price", "[8.95]"},
		{"$.store.book[?(@.author > 'Rees')].author", `["Waugh"]`},
		{"$.store.book[?(@.author > 1)].author", "[]"},
		{"$.store.book[?(@.author size 5)].author", `["Waugh"]`},
		{"$.store.book[?(@.author empty true)].author", "[]"},
		{"$.store.bicycle[?(@.color empty false)].price", "[19.95]"},
		{"$[?(@.tags subsetof ['x', 'y', 'z'])].limit", "[10]"},
		{"$[?(@.tags anyof ['y', 'z'])].limit", "[10]"},
		{"$[?(@.tags noneof ['y', 'z'])].limit", "[]"},
		{"$[?(@.tags contains 'x')].limit", "[10]"},
		{"$[?(@.n == null && @.tags == [\"x\", \"y\"])].limit", "[10]"},
		{"$[?(@.store.bicycle == {'price': 19.95, 'color': 'red'})].limit", "[10]"},
		{"$.nums[?(@ === 3 || @ !== @)]", "[3]"},
		{"$['te\\xt']", `"abc"`},
		{"$.tags[?(@ == 'y')]", `["y"]`},
		{"$.missing[*]", "[]"},
		{"$.missing[1:]", "[]"},
		{"$.missing.below[:1].x", "[]"},
		{"$..nothing", "[]"},
		{"$.tags.length()", "2"},
		{"$.text.length()", "3"},
		{"$..price.length()", "4"},
		{"$.nums.min()", "1"},
		{"$.nums.max()", "4"},
		{"$.nums.sum()", "8"},
		{"$.nums.avg()", "2.6666666666666665"},
		{"$..price.stddev()", "4.485298206362655"},
		{"$.nums.first()", "4"},
		{"$.nums.last()", "3"},
		{"$.store.bicycle.keys()", `["color","price"]`},
	} {
		p, err := parsePath(tt.path)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		got, err := p.find(doc, fixedRoot{doc})
		if err != nil || value.String(got) != tt.want {
			t.Errorf("%s: got %s (%v), want %s", tt.path, value.String(got), err, tt.want)
		}
	}
}

func TestDefinitePathsThatFindNothingSayWhy(t *testing.T) {
	t.Parallel()
	doc := parsed(t, store)
	for _, tt := range []struct{ path, want string }{
		{"$.NoSuch", "No results for path: $['NoSuch']"},
		{"$.store.NoSuch", "No results for path: $['store']['NoSuch']"},
		{"$.a.b", "Missing property in path $['a']"},
		{"$.tags[7]", "No results for path: $['tags'][7]"},
		{"$.n[0]", "The path $['n'] is null"},
		{"$.text.x", "Expected to find an object with property ['x'] in path $['text'] but found 'java.lang.String'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'."},
		{"$.tags.x", "Expected to find an object with property ['x'] in path $['tags'] but found 'java.util.ArrayList'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'."},
		{"$.limit.x", "Expected to find an object with property ['x'] in path $['limit'] but found 'java.lang.Integer'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'."},
		{"$.n.x", "Expected to find an object with property ['x'] in path $['n'] but found 'null'. This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'."},
		{"$.tags.sum()", "No results for path: $['tags'].sum()"},
		{"$.tags.keys()", "No results for path: $['tags'].keys()"},
		{"$.store.bicycle[0]", "Filter: [0] can only be applied to arrays. Current context is: {color=red, price=19.95}"},
	} {
		p, err := parsePath(tt.path)
		if err != nil {
			t.Fatalf("%s: %v", tt.path, err)
		}
		got, err := p.find(doc, fixedRoot{doc})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %s, %v", tt.path, value.String(got), err)
		}
	}
}

func TestMalformedPaths(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "a", "$.", "$..", "$.a.", "$[", "$[]", "$['a", "$['a'", "$[1", "$[1,]", "$[a]", "$.a b", "$.a[?(@.x]", "$.a[?@.x]", "$.[0]",
		"$[?(1)]", "$[?(@.a == )]", "$[?(@.a =~ /(/)]", "$.a.nope()", "$.a.length().b", "$$$", "$$x", "@.a", "$[99999999999999999999]", "$[::-1]",
	} {
		if p, err := parsePath(text); err == nil {
			t.Errorf("%q was taken as %s", text, p)
		}
	}
}

func TestRootsOfPaths(t *testing.T) {
	t.Parallel()
	sc := &scope{
		input:   parsed(t, `{"a": 1, "k": "x", "l": [{"id": "x"}, {"id": "y"}]}`),
		context: value.Of("Execution", value.Of("Name", "e")),
		variable: func(name string) (any, bool) {
			return value.Of("b", int64(2)), name == "größe"
		},
	}
	for _, tt := range []struct{ path, want, failure string }{
		{"$", `{"a":1,"k":"x","l":[{"id":"x"},{"id":"y"}]}`, ""},
		{"$$.Execution.Name", `"e"`, ""},
		{"$größe.b", "2", ""},
		{"$größe", `{"b":2}`, ""},
		{"$.l[?(@.id == $.k)].id", `["x"]`, ""},
		{"$none.b", "", "Invalid path '$none.b' : No results for path: $['none']"},
		{"$$.Task.Token", "", "Invalid path '$$.Task.Token' : Missing property in path $['Task']"},
	} {
		f, err := newPathField(tt.path, false)
		if err != nil {
			t.Fatalf("%s: %v", tt.path, err)
		}
		v, failure := f.eval(sc)
		switch {
		case failure == nil && value.String(v) != tt.want:
			t.Errorf("%s: got %s", tt.path, value.String(v))
		case failure != nil && (failure.Cause != tt.failure || failure.Error != "States.Runtime" || !failure.runtime):
			t.Errorf("%s: failed with %+v", tt.path, failure)
		case failure == nil && tt.failure != "":
			t.Errorf("%s: did not fail", tt.path)
		}
	}
}

func TestReferencePathsPutAValueInPlace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, path, root, want, failure string }{
		{"the root is replaced", "$", `{"a":1}`, `"v"`, ""},
		{"a field is added", "$.b", `{"a":1}`, `{"a":1,"b":"v"}`, ""},
		{"a field is replaced where it is", "$.a", `{"a":1,"b":2}`, `{"a":"v","b":2}`, ""},
		{"missing objects are made", "$.x.y['z w']", `{}`, `{"x":{"y":{"z w":"v"}}}`, ""},
		{"an element is replaced", "$.a[1]", `{"a":[1,2]}`, `{"a":[1,"v"]}`, ""},
		{"a field of an element is set", "$.a[0].b", `{"a":[{}]}`, `{"a":[{"b":"v"}]}`, ""},
		{"no element is added", "$.a[2]", `{"a":[1,2]}`, "", `Unable to apply ReferencePath $.a[2] to input {"a":[1,2]}`},
		{"no list is made", "$.a[0]", `{}`, "", `Unable to apply ReferencePath $.a[0] to input {}`},
		{"text has no fields", "$.a", `"text"`, "", `Unable to apply ReferencePath $.a to input "text"`},
		{"a list has no fields", "$.a.b", `{"a":[]}`, "", `Unable to apply ReferencePath $.a.b to input {"a":[]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, err := newReference(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			root := parsed(t, tt.root)
			before := value.String(root)
			got, failure := f.set(root, "v")
			if value.String(root) != before {
				t.Errorf("the shared value was changed to %s", value.String(root))
			}
			if failure != nil {
				if failure.Cause != tt.failure || failure.Error != "States.ResultPathMatchFailure" {
					t.Errorf("failed with %+v", failure)
				}
				return
			}
			if value.String(got) != tt.want || tt.failure != "" {
				t.Errorf("got %s", value.String(got))
			}
		})
	}
	null, err := newReference(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, failure := null.set("kept", "v"); got != "kept" || failure != nil {
		t.Errorf("null gave %v, %v", got, failure)
	}
}

func TestPathsThatAreNoReferences(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"$.a[*]", "$..a", "$.a[1:]", "$.a[0,1]", "$['a','b']", "$.a[?(@.b)]", "$$.a", "$a", "$.a.length()", "$.a[-1]"} {
		if _, err := newReference(text); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"$.a[0]", "$..b[?(@.x == 'y' && !(@.z))]", "$$['a','b'][1:]", "$v.length()", "$[?(@.a =~ /x/i)]", "$[?(@ in ['a'])]"} {
		f.Add(s)
	}
	doc, err := value.Parse([]byte(store))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePath(text)
		if err != nil {
			return
		}
		sc := &scope{input: doc}
		v, err := sc.lookup(p)
		if _, isList := v.([]any); err == nil && !p.definite && !isList {
			t.Errorf("%s is not definite but found %s", text, value.String(v))
		}
		r, err := newReference(text)
		if err != nil {
			return
		}
		placed, failure := r.set(doc, "v")
		if failure != nil {
			return
		}
		if got, failure := r.eval(&scope{input: placed}); failure != nil || got != "v" {
			t.Errorf("%s: what was put is not found: %v %v", text, got, failure)
		}
	})
}

func objectOf(t *testing.T, text string) *value.Object {
	t.Helper()
	o, ok := parsed(t, text).(*value.Object)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return o
}

func TestTheNormalFormOfPaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"$.a['b c'][0].*..d":   "$['a']['b c'][0][*]..['d']",
		"$[1,2][1:][:-1]":      "$[1,2][1:][:-1]",
		"$['a','b']":           "$['a','b']",
		"$.a[?(@.b)].length()": "$['a'][?].length()",
	} {
		p, err := parsePath(text)
		if err != nil || p.String() != want {
			t.Errorf("%s: %s %v", text, p, err)
		}
	}
}

func TestSearchesWithinSearchesAreBounded(t *testing.T) {
	t.Parallel()
	list := make([]any, 300)
	for i := range list {
		list[i] = value.Of("a", list[:i:i])
	}
	for _, text := range []string{"$..[?(@..[?(@..[?(@..x)])])]", "$" + strings.Repeat("..*", 30)} {
		p, err := parsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.find(list, fixedRoot{list}); err == nil {
			t.Errorf("%s was not stopped", text)
		}
	}
}
