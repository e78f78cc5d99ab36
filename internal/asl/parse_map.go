package asl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxLabel is how many characters a label may have.
const maxLabel = 40

// The most that fields of a map may hold.
const (
	maxItemsOfMap = 100000000
	maxConcurrent = 1 << 31
)

func (p *parser) mapState(s *State, f *fields) {
	m := &mapFields{}
	s.Map = m
	p.label(m, f)
	count := scalarKind{least: 0, most: maxConcurrent, whole: true}
	m.MaxConcurrency = f.scalar("MaxConcurrency", s.Language, count)
	m.ToleratedCount = f.scalar("ToleratedFailureCount", s.Language, count)
	m.ToleratedPercentage = f.scalar("ToleratedFailurePercentage", s.Language, scalarKind{least: 0, most: 100})
	if s.Language == JSONata {
		m.Items = p.items(f)
	} else {
		m.ItemsPath = f.path("ItemsPath", false)
	}
	m.ItemSelector = f.objectTemplate("ItemSelector", s.Language)
	if s.Language == JSONPath && f.has("Parameters") {
		f.conflict("Parameters", "ItemSelector")
		m.ItemSelector = f.objectTemplate("Parameters", JSONPath)
	}
	p.processor(m, f)
	if r := f.object("ItemReader"); r != nil {
		m.Reader = p.reader(r, s.Language)
	}
	if b := f.object("ItemBatcher"); b != nil {
		m.Batcher = p.batcher(b, s.Language)
	}
	if w := f.object("ResultWriter"); w != nil {
		m.Writer = p.writer(w, s.Language)
	}
}

// items reads Items: an array, whose elements may be expressions, or an expression.
func (p *parser) items(f *fields) *template {
	raw, ok := f.o.Get("Items")
	if _, isList := raw.([]any); ok && !isList && !isQuery(raw) {
		f.get("Items")
		f.wrong("Items", "Expected value of type Array")
		return nil
	}
	return f.template("Items", JSONata)
}

// processor reads ItemProcessor or, by its older name, Iterator.
func (p *parser) processor(m *mapFields, f *fields) {
	f.conflict("ItemProcessor", "Iterator")
	name := "ItemProcessor"
	if f.has("Iterator") {
		name, m.Iterator = "Iterator", true
	}
	f.require(name)
	it := f.object(name)
	if it == nil {
		return
	}
	if c := it.object("ProcessorConfig"); c != nil {
		m.Distributed = c.oneOf("Mode", "INLINE", "DISTRIBUTED") == "DISTRIBUTED"
		m.ExecutionType = c.oneOf("ExecutionType", "STANDARD", "EXPRESS")
		if !m.Distributed {
			m.ExecutionType = ""
		} else if m.ExecutionType == "" {
			m.ExecutionType = "STANDARD"
		}
		c.unknown()
	}
	if m.Distributed && p.express {
		f.wrong(name, "Express state machine does not support Map state in DISTRIBUTED mode")
	}
	outer := p.express
	p.express = outer || m.ExecutionType == "EXPRESS"
	it.require("StartAt", "States")
	g := p.graph(it)
	m.Processor = &g
	p.express = outer
	it.unknown()
}

func (p *parser) reader(f *fields, language Language) *itemReader {
	f.require("Resource")
	r := &itemReader{Resource: f.text("Resource"), Arguments: f.template(argumentsName(language), language)}
	if c := f.object("ReaderConfig"); c != nil {
		r.Config = c.o
		r.MaxItems = c.scalar("MaxItems", language, scalarKind{least: 0, most: maxItemsOfMap, whole: true})
		c.oneOf("InputType", "CSV", "JSON", "JSONL", "MANIFEST", "PARQUET")
		c.oneOf("CSVHeaderLocation", "FIRST_ROW", "GIVEN")
		if c.text("CSVHeaderLocation") == "GIVEN" {
			c.require("CSVHeaders")
		}
	}
	f.unknown()
	return r
}

func argumentsName(language Language) string {
	if language == JSONata {
		return "Arguments"
	}
	return "Parameters"
}

func (p *parser) batcher(f *fields, language Language) *itemBatcher {
	b := &itemBatcher{
		BatchInput:    f.objectTemplate("BatchInput", language),
		MaxItems:      f.scalar("MaxItemsPerBatch", language, scalarKind{least: 1, most: maxItemsOfMap, whole: true}),
		MaxInputBytes: f.scalar("MaxInputBytesPerBatch", language, scalarKind{least: 1, most: 256 << 10, whole: true}),
	}
	if b.MaxItems == nil && b.MaxInputBytes == nil {
		p.schema(f.at, "At least one of these fields is required: [MaxItemsPerBatch, MaxInputBytesPerBatch]")
	}
	f.unknown()
	return b
}

func (p *parser) writer(f *fields, language Language) *resultWriter {
	w := &resultWriter{Resource: f.text("Resource"), Arguments: f.template(argumentsName(language), language)}
	if c := f.object("WriterConfig"); c != nil {
		w.Config = c.o
		c.oneOf("Transformation", "NONE", "COMPACT", "FLATTEN")
		c.oneOf("OutputType", "JSON", "JSONL")
	} else {
		f.require("Resource")
	}
	f.unknown()
	return w
}

// label reads Label. What is wrong with it is told in a form of its own, which
// shows the whole definition.
func (p *parser) label(m *mapFields, f *fields) {
	if !f.has("Label") {
		return
	}
	m.Label = f.text("Label")
	if raw, _ := f.get("Label"); raw != any(m.Label) {
		return
	}
	message := labelError(m.Label)
	if message == "" {
		return
	}
	f.wrong("Label", "%s", message)
	p.diagnostics[len(p.diagnostics)-1].whole = fmt.Sprintf("Error=ValueError Args=[%s] in definition '%s'.", quotePython(message), p.text)
}

// labelError says what is wrong with a label; "" is nothing.
func labelError(label string) string {
	switch {
	case label == "":
		return "Label cannot be empty"
	case utf8.RuneCountInString(label) > maxLabel:
		return "Label cannot exceed 40 characters"
	}
	for _, c := range " ?*<>{}[]:;,\\|^~$#%&`\"" {
		if strings.ContainsRune(label, c) {
			return "Label contains invalid character: '" + escapePython(c) + "'"
		}
	}
	for c := range rune(0xA0) {
		if (c < 0x20 || c >= 0x7F) && strings.ContainsRune(label, c) {
			return "Label contains invalid character: '" + escapePython(c) + "'"
		}
	}
	return ""
}

// escapePython writes a character as the message about labels shows it.
func escapePython(c rune) string {
	switch c {
	case '\\':
		return `\\`
	case '\t':
		return `\t`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	}
	if c < 0x20 || c >= 0x7F && c < 0x100 {
		return fmt.Sprintf(`\x%02x`, c)
	}
	return string(c)
}

// quotePython quotes a text as the message about labels does: in single quotes
// unless they occur in it and double quotes do not.
func quotePython(s string) string {
	s = strings.ReplaceAll(s, `\`, `\\`)
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
}
