package awscall

import (
	"archive/zip"
	"bytes"
	_ "embed" // the models
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/leat-dev/leat/internal/value"
)

// modelArchive holds one compacted model per service, see models/generate.py.
//
//go:embed models/models.zip
var modelArchive []byte

// Kind is what a shape holds.
type Kind uint8

// The kinds of shapes.
const (
	String Kind = iota
	Integer
	Float
	Boolean
	Blob
	Timestamp
	Document // any JSON
	List
	Map
	Structure
)

// Shape is a type of a service's model.
type Shape struct {
	Kind Kind
	// Element is the type of a list's elements or a map's values.
	Element *Shape
	// Members are those of a structure, in the model's order.
	Members []Member
	// Min and Max bound a number; nil where the model does not.
	Min, Max *float64
	// Enum lists the values of a text; nil where the model lists none.
	Enum []string

	key          *Shape
	format       string // of a timestamp
	streaming    bool
	flattened    bool
	elementName  string // XML name of a list's elements
	keyName      string
	valueName    string
	payload      string // the member that is the whole body
	name         string // of an error; XML name of a structure
	xmlName      string
	code         string // of an error, when it is not its name
	wrapper      bool
	events       bool
	byName       map[string]int
	byFoldedName map[string]int
}

// Member is a named part of a structure.
type Member struct {
	Name     string // as the service writes it in its model
	Shape    *Shape
	Required bool

	location  string // header, headers, uri, querystring, statusCode or none
	wire      string // locationName
	query     string // queryName of the EC2 protocol
	format    string // of a timestamp
	flattened bool
	token     bool // filled with a random id when absent
	jsonText  bool // JSON inside a string
	attribute bool // XML attribute
	streaming bool
	host      bool // part of the host name
	namespace *namespace
}

type namespace struct{ prefix, uri string }

// Operation is one call of a service.
type Operation struct {
	Service *Service
	Name    string
	// Input and Output are structures; nil when the operation has none.
	Input, Output *Shape

	method, path    string
	inputName       string
	inputNamespace  *namespace
	resultWrapper   string
	errors          []*Shape
	hostPrefix      string
	unsigned        bool
	unsignedPayload bool
	checksumMember  string
	checksumNeeded  bool
}

// Service is a service's model.
type Service struct {
	// Name is the SDK for Java's name of the service, in which Step Functions
	// names it: sfn, cloudwatchlogs.
	Name string
	// ID is the service id of the model: SFN, CloudWatch Logs.
	ID string

	protocol       string
	endpointPrefix string
	signingName    string
	version        string
	jsonVersion    string
	targetPrefix   string
	namespace      string
	queryErrors    bool
	operations     map[string]*Operation // by lower-case name
	endpoints      map[string]endpointRule
}

// endpointRule is the host and signature of a service in a partition.
type endpointRule struct {
	common  endpointAnswer
	special map[string]endpointAnswer
}

type endpointAnswer struct{ host, signingName, signingRegion string }

// catalog reads models when they are first asked for.
type catalog struct {
	once       sync.Once
	err        error
	files      map[string]*zip.File
	byName     map[string]string // Step Functions' name to file
	partitions []partition

	mu       sync.Mutex
	services map[string]*Service
}

type partition struct {
	id, suffix string
	regions    *regexp.Regexp
}

func (c *catalog) open() error {
	c.once.Do(func() { c.err = c.index() })
	return c.err
}

func (c *catalog) index() error {
	r, err := zip.NewReader(bytes.NewReader(modelArchive), int64(len(modelArchive)))
	if err != nil {
		return fmt.Errorf("open the service models: %w", err)
	}
	c.files = make(map[string]*zip.File, len(r.File))
	for _, f := range r.File {
		c.files[f.Name] = f
	}
	var head struct {
		Services   map[string]string `json:"services"`
		Partitions []struct {
			ID      string `json:"id"`
			Regions string `json:"regions"`
			Suffix  string `json:"suffix"`
		} `json:"partitions"`
	}
	data, err := c.read("services.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("read the list of services: %w", err)
	}
	c.byName = make(map[string]string, len(head.Services))
	for file, id := range head.Services {
		c.byName[ServiceName(id)] = file
	}
	for _, p := range head.Partitions {
		regions, err := regexp.Compile(p.Regions)
		if err != nil {
			return fmt.Errorf("read the regions of %s: %w", p.ID, err)
		}
		c.partitions = append(c.partitions, partition{p.ID, p.Suffix, regions})
	}
	c.services = map[string]*Service{}
	return nil
}

func (c *catalog) read(name string) ([]byte, error) {
	f, ok := c.files[name]
	if !ok {
		return nil, fmt.Errorf("no model %s", name)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", name, err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read model %s: %w", name, err)
	}
	return data, r.Close()
}

// service returns a service by the name that Step Functions uses.
func (c *catalog) service(name string) (*Service, error) {
	if err := c.open(); err != nil {
		return nil, err
	}
	file, ok := c.byName[strings.ToLower(name)]
	if !ok {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.services[file]; s != nil {
		return s, nil
	}
	data, err := c.read(file + ".json")
	if err != nil {
		return nil, err
	}
	v, err := value.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("parse model %s: %w", file, err)
	}
	s := readService(object(v))
	c.services[file] = s
	return s, nil
}

// modelReader turns the numbered shapes of a file into linked ones.
type modelReader struct {
	raw    []any
	shapes []*Shape
	enums  []*Shape
}

func readService(o *value.Object) *Service {
	meta := object(get(o, "m"))
	s := &Service{
		ID: text(meta, "id"), protocol: text(meta, "p"), endpointPrefix: text(meta, "ep"),
		signingName: text(meta, "sn"), version: text(meta, "v"), jsonVersion: text(meta, "jv"),
		targetPrefix: text(meta, "tp"), namespace: text(meta, "ns"), queryErrors: flag(meta, "aq"),
		operations: map[string]*Operation{}, endpoints: map[string]endpointRule{},
	}
	s.Name = ServiceName(s.ID)
	if s.signingName == "" {
		s.signingName = s.endpointPrefix
	}
	raw, _ := get(o, "s").([]any)
	r := &modelReader{raw: raw, shapes: make([]*Shape, len(raw))}
	for i := range r.shapes {
		r.shapes[i] = &Shape{}
	}
	enums, _ := get(o, "n").([]any)
	for _, v := range enums {
		r.enums = append(r.enums, readEnum(v))
	}
	for i := range raw {
		r.fill(r.shapes[i], object(raw[i]))
	}
	for name, v := range object(get(o, "o")).All() {
		s.operations[strings.ToLower(name)] = r.operation(s, name, object(v))
	}
	for id, v := range object(get(o, "e")).All() {
		s.endpoints[id] = readEndpoints(v)
	}
	return s
}

func readEnum(v any) *Shape {
	list, _ := v.([]any)
	s := &Shape{Kind: String, Enum: make([]string, 0, len(list))}
	for _, v := range list {
		if name, ok := v.(string); ok {
			s.Enum = append(s.Enum, name)
		}
	}
	return s
}

func readEndpoints(v any) endpointRule {
	list, _ := v.([]any)
	answer := func(v any) endpointAnswer {
		a, _ := v.([]any)
		var t [3]string
		for i := range min(len(a), 3) {
			t[i], _ = a[i].(string)
		}
		return endpointAnswer{t[0], t[1], t[2]}
	}
	var rule endpointRule
	if len(list) > 0 {
		rule.common = answer(list[0])
	}
	if len(list) > 1 {
		rule.special = map[string]endpointAnswer{}
		for region, v := range object(list[1]).All() {
			rule.special[region] = answer(v)
		}
	}
	return rule
}

func (r *modelReader) operation(s *Service, name string, o *value.Object) *Operation {
	op := &Operation{
		Service: s, Name: name, hostPrefix: text(o, "hp"), unsigned: flag(o, "na"),
		unsignedPayload: flag(o, "up"), checksumMember: text(o, "ca"), checksumNeeded: flag(o, "cr"),
	}
	if h, _ := get(o, "h").([]any); len(h) == 2 {
		op.method, _ = h[0].(string)
		op.path, _ = h[1].(string)
	}
	if v, ok := o.Get("i"); ok {
		op.Input = r.shape(v)
	}
	if v, ok := o.Get("o"); ok {
		op.Output = r.shape(v)
	}
	if v, ok := o.Get("ix"); ok {
		op.inputName = text(object(v), "n")
		op.inputNamespace = readNamespace(get(object(v), "ns"))
	}
	if v, ok := o.Get("ox"); ok {
		op.resultWrapper = text(object(v), "w")
	}
	list, _ := get(o, "e").([]any)
	for _, v := range list {
		op.errors = append(op.errors, r.shape(v))
	}
	return op
}

// shape resolves a reference: a number of the list or the letter of a scalar.
func (r *modelReader) shape(ref any) *Shape {
	if i, ok := value.Integer(ref); ok && i >= 0 && int(i) < len(r.shapes) {
		return r.shapes[i]
	}
	t, _ := ref.(string)
	if t == "" {
		return &Shape{Kind: Document}
	}
	switch t[0] {
	case 'i', 'l', 'f', 'd':
		s := &Shape{Kind: Integer}
		if t[0] == 'f' || t[0] == 'd' {
			s.Kind = Float
		}
		low, high, _ := strings.Cut(t[1:], ":")
		s.Min, s.Max = bound(low), bound(high)
		return s
	case 'b':
		return &Shape{Kind: Boolean}
	case 'B':
		return &Shape{Kind: Blob}
	case 'S':
		return &Shape{Kind: Blob, streaming: true}
	case 't':
		return &Shape{Kind: Timestamp, format: t[1:]}
	case 'j':
		return &Shape{Kind: Document}
	case 's':
		if i, err := strconv.Atoi(t[1:]); err == nil && i >= 0 && i < len(r.enums) {
			return r.enums[i]
		}
	}
	return &Shape{Kind: String}
}

func bound(t string) *float64 {
	f, err := strconv.ParseFloat(t, 64)
	if err != nil {
		return nil
	}
	return &f
}

func (r *modelReader) fill(s *Shape, o *value.Object) {
	s.flattened = flag(o, "fl")
	if e, ok := o.Get("l"); ok {
		s.Kind, s.Element, s.elementName = List, r.shape(e), text(o, "ln")
		return
	}
	if e, ok := o.Get("m"); ok {
		s.Kind, s.Element, s.key = Map, r.shape(e), r.shape(get(o, "k"))
		s.keyName, s.valueName = text(o, "kn"), text(o, "vn")
		return
	}
	s.Kind = Structure
	s.payload, s.name, s.code = text(o, "p"), text(o, "x"), text(o, "xc")
	s.xmlName, s.wrapper, s.events = text(o, "n"), flag(o, "w"), flag(o, "es")
	members := object(get(o, "s"))
	s.Members = make([]Member, 0, members.Len())
	s.byName = make(map[string]int, members.Len())
	s.byFoldedName = make(map[string]int, members.Len())
	for name, v := range members.All() {
		s.byName[name] = len(s.Members)
		s.byFoldedName[strings.ToLower(name)] = len(s.Members)
		s.Members = append(s.Members, r.member(name, v))
	}
}

func (r *modelReader) member(name string, v any) Member {
	m := Member{Name: name}
	pair, ok := v.([]any)
	if !ok {
		m.Shape = r.shape(v)
		return m
	}
	m.Shape = r.shape(pair[0])
	x := object(pair[1])
	m.location, m.wire, m.query, m.format = text(x, "at"), text(x, "n"), text(x, "q"), text(x, "tf")
	m.Required, m.flattened, m.token = flag(x, "r"), flag(x, "fl"), flag(x, "it")
	m.jsonText, m.attribute, m.streaming, m.host = flag(x, "jv"), flag(x, "xa"), flag(x, "st"), flag(x, "hl")
	m.namespace = readNamespace(get(x, "ns"))
	return m
}

func readNamespace(v any) *namespace {
	o, ok := v.(*value.Object)
	if !ok {
		return nil
	}
	return &namespace{text(o, "prefix"), text(o, "uri")}
}

// Member finds a member as people write it: the first letter in either case, or
// the whole name in any.
func (s *Shape) Member(name string) (*Member, bool) {
	if i, ok := s.byName[name]; ok {
		return &s.Members[i], true
	}
	folded := strings.ToLower(name)
	if folded == "nul" {
		folded = "null" // as MemberName shows it
	}
	if i, ok := s.byFoldedName[folded]; ok {
		return &s.Members[i], true
	}
	return nil, false
}

// wireName is the member's name in a body.
func (m *Member) wireName() string {
	if m.wire != "" {
		return m.wire
	}
	return m.Name
}

func object(v any) *value.Object {
	if o, ok := v.(*value.Object); ok {
		return o
	}
	return value.NewObject(0)
}

func get(o *value.Object, key string) any {
	v, _ := o.Get(key)
	return v
}

func text(o *value.Object, key string) string {
	t, _ := get(o, key).(string)
	return t
}

func flag(o *value.Object, key string) bool {
	_, ok := o.Get(key)
	return ok
}
