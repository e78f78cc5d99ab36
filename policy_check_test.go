package leat_test

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The rules are data in policy_test.go; this file checks them on the source as
// it is written, without building it.

func TestPolicy(t *testing.T) {
	t.Parallel()
	found, err := violations(os.DirFS("."), listFiles(t.Context(), t))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

// listFiles names the files that git tracks or would add.
func listFiles(ctx context.Context, t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	var files []string
	folders := map[string]bool{}
	for name := range strings.SplitSeq(string(out), "\x00") {
		// A tracked file may have been deleted since.
		if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
			for dir := path.Dir(name); !folders[dir]; dir = path.Dir(dir) {
				folders[dir] = true
			}
		}
	}
	// The test cache does not see what git reads. Reading the folders tells it
	// that a new file makes an earlier result stale.
	for dir := range folders {
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// sourceTree is what the rules look at.
type sourceTree struct {
	packages map[string]*sourcePackage // by folder, "." for the root
	direct   []string                  // modules that go.mod requires for our own imports
	deps     string                    // docs/dependencies.md
	found    []string                  // violations seen while reading
}

type sourcePackage struct {
	imports map[string]string // path, relative to the module if ours, to the file that imports it; without tests
	docs    []string          // comments before the package clause
	name    string
	tests   bool // it has no other files than tests so far
}

// readTree reads the named files. Files of other modules and testdata are read
// for what holds for any file, not as Go packages.
func readTree(fsys fs.FS, files []string) (*sourceTree, error) {
	tree := &sourceTree{packages: map[string]*sourcePackage{}}
	var modules []string
	for _, name := range files {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			modules = append(modules, path.Dir(name)+"/")
		}
	}
	for _, name := range files {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		tree.checkText(name, text)
		switch {
		case name == "go.mod":
			tree.direct = directModules(string(text))
		case name == "docs/dependencies.md":
			tree.deps = string(text)
		case path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/"):
		case slices.ContainsFunc(modules, func(m string) bool { return strings.HasPrefix(name, m) }):
		default:
			if err := tree.addGo(name, text); err != nil {
				return nil, err
			}
		}
	}
	return tree, nil
}

// unwanted finds what must not be in the repository: folders of the machine that
// somebody worked on, and hosts of package registries, which each user's own
// settings choose. The letters in brackets keep the pattern from finding itself.
var unwanted = regexp.MustCompile(`/(?:wor[k]/(?:main|shared|steering|\.)|opt/la[b]|roo[t]/|far[m]/)|` +
	`prox[y]\.golang\.org|su[m]\.golang\.org|pyp[i]\.org|pythonhoste[d]\.org|registr[y]\.npmjs\.org|deb\.debia[n]\.org`)

// checkText checks what holds for every file that is text.
func (s *sourceTree) checkText(name string, text []byte) {
	if bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
		return
	}
	if where := unwanted.FindIndex(text); where != nil {
		line := 1 + bytes.Count(text[:where[0]], []byte("\n"))
		s.report("%s:%d: names %q, a machine's path or a registry's host", name, line, text[where[0]:where[1]])
	}
	code := slices.Contains([]string{".go", ".py", ".sh", ".ts", ".tsx"}, path.Ext(name))
	generated := bytes.Contains(text[:min(len(text), 400)], []byte("Code generated"))
	if n := bytes.Count(text, []byte("\n")); code && !generated && n > maxLines {
		s.report("%s: %d lines, more than %d: split it", name, n, maxLines)
	}
}

// addGo adds a Go file to its package.
func (s *sourceTree) addGo(name string, text []byte) error {
	fset := token.NewFileSet()
	test := strings.HasSuffix(name, "_test.go")
	mode := parser.ParseComments | parser.SkipObjectResolution
	if !test {
		mode |= parser.ImportsOnly
	}
	file, err := parser.ParseFile(fset, name, text, mode)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	p := s.packages[dir]
	if p == nil {
		p = &sourcePackage{imports: map[string]string{}, name: strings.TrimSuffix(file.Name.Name, "_test"), tests: true}
		s.packages[dir] = p
	}
	if !test && p.tests {
		// The comment of a package that is more than a test stands in its code.
		p.name, p.tests, p.docs = file.Name.Name, false, nil
	}
	if test == p.tests && file.Doc != nil {
		p.docs = append(p.docs, file.Doc.Text())
	}
	if test {
		s.checkSleep(fset, file)
		return nil
	}
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		p.imports[strings.TrimPrefix(imported, module)] = name
	}
	return nil
}

// checkSleep finds calls of time.Sleep in a test: a test waits for what it
// expects, not for a while.
func (s *sourceTree) checkSleep(fset *token.FileSet, file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
				s.report("%s: time.Sleep in a test: wait for a condition", fset.Position(sel.Pos()))
			}
		}
		return true
	})
}

func (s *sourceTree) report(format string, args ...any) {
	s.found = append(s.found, fmt.Sprintf(format, args...))
}

// violations reads the named files and gives a line for each broken rule.
func violations(fsys fs.FS, files []string) ([]string, error) {
	s, err := readTree(fsys, files)
	if err != nil {
		return nil, err
	}
	for _, dir := range slices.Sorted(maps.Keys(s.packages)) {
		s.checkPackage(dir, s.packages[dir])
	}
	for _, dir := range light {
		s.checkReach([]string{dir}, map[string]bool{})
	}
	for _, m := range s.direct {
		if !strings.Contains(s.deps, "\n## "+m+"\n") {
			s.report("docs/dependencies.md: no section %q for a direct dependency of go.mod", "## "+m)
		}
	}
	return s.found, nil
}

// checkPackage checks one package's comment and its own imports.
func (s *sourceTree) checkPackage(dir string, p *sourcePackage) {
	opening := "Package " + p.name + " "
	if p.name == "main" {
		opening = "" // a program's comment begins with its name, written in one way or another
	}
	if !slices.ContainsFunc(p.docs, func(doc string) bool {
		return strings.HasPrefix(doc, opening) || p.tests && strings.HasPrefix(doc, "Package "+p.name+"_test ")
	}) {
		s.report("%s: no package comment that begins with %q", dir, opening)
	}
	line, ok := layerOf(dir)
	if !ok {
		s.report("%s: package without a row in layers (policy_test.go)", dir)
		return
	}
	for _, imported := range slices.Sorted(maps.Keys(p.imports)) {
		file := p.imports[imported]
		if l, ours := layerOf(imported); ours && l >= line {
			s.report("%s: %s (line %d) imports %s (line %d): imports go to lower lines only", file, dir, line, imported, l)
		}
		for _, r := range restrictions {
			if matches([]string{r.target}, imported) && !matches(r.only, dir) && imported != dir {
				s.report("%s: %s imports %s: %s", file, dir, imported, r.why)
			}
		}
		if slices.Contains(standardOnly, dir) && (outside(imported) || isOurs(imported)) {
			s.report("%s: %s imports %s: it takes the standard library only", file, dir, imported)
		}
		if slices.Contains(pure, dir) && slices.Contains(impure, imported) {
			s.report("%s: %s imports %s: it is pure", file, dir, imported)
		}
	}
}

// checkReach follows the imports of the last package of way, which begins with a
// light one.
func (s *sourceTree) checkReach(way []string, seen map[string]bool) {
	p, ok := s.packages[way[len(way)-1]]
	if !ok {
		return
	}
	for _, imported := range slices.Sorted(maps.Keys(p.imports)) {
		if seen[imported] {
			continue
		}
		seen[imported] = true
		further := append(slices.Clone(way), imported)
		if matches(heavy, imported) {
			s.report("%s: reaches %s: %s", way[0], imported, strings.Join(further, " -> "))
		}
		s.checkReach(further, seen)
	}
}

// layerOf finds the row of one of our packages; an exact one goes before a
// pattern.
func layerOf(dir string) (int, bool) {
	if line, ok := layers[dir]; ok {
		return line, true
	}
	for pattern, line := range layers {
		if ok, _ := path.Match(pattern, dir); ok {
			return line, true
		}
	}
	return 0, false
}

// isOurs tells whether an import path, relative to the module if it is ours, is.
func isOurs(imported string) bool {
	_, ok := layerOf(imported)
	return ok
}

// directModules gives the modules that go.mod requires for our own imports.
func directModules(gomod string) []string {
	var direct []string
	inside := false
	for line := range strings.SplitSeq(gomod, "\n") {
		line = strings.TrimSpace(line)
		requirement, single := strings.CutPrefix(line, "require ")
		switch {
		case line == "require (":
			inside = true
		case line == ")":
			inside = false
		case (inside || single) && line != "" && !strings.HasSuffix(line, "// indirect") && !strings.HasPrefix(line, "//"):
			direct = append(direct, strings.Fields(requirement)[0])
		}
	}
	return direct
}
