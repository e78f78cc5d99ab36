package jsonschema

// preprocess returns the schema as the Prefect server checks by it: what
// pydantic writes for optional fields and tuples is not quite draft 2020-12.
func preprocess(schema *Value, nullWithDefault bool) *Value {
	if schema.kind != object {
		return schema
	}
	schema = schema.clone()
	fixProperties(schema, nullWithDefault)
	definitions := schema.get("definitions")
	if definitions == nil {
		return schema
	}
	for _, name := range append([]string{}, definitions.keys...) {
		d := definitions.vals[name]
		fixProperties(d, nullWithDefault)
		if d.get("block_type_slug") != nil && d.get("title") != nil {
			definitions.set(d.get("title").str, orBlockReference(d))
		}
	}
	return schema
}

func fixProperties(schema *Value, nullWithDefault bool) {
	properties := schema.get("properties")
	if properties == nil {
		return
	}
	required := map[string]bool{}
	if r := schema.get("required"); r != nil {
		for _, name := range r.list {
			required[name.str] = true
		}
	}
	for _, name := range properties.keys {
		p := properties.vals[name]
		if p.kind != object {
			continue
		}
		t, hasDefault := p.get("type"), p.get("default") != nil
		if !required[name] && t != nil && t.str != "null" && (!hasDefault || nullWithDefault) {
			p.set("anyOf", &Value{kind: array, list: []*Value{typed(t), typed(&Value{kind: text, str: "null"})}})
			p.drop("type")
		}
		if items := p.get("items"); items != nil && len(items.list) > 0 && p.get("prefixItems") == nil {
			p.set("prefixItems", items)
			p.drop("items")
		}
		fixProperties(p, nullWithDefault)
	}
}

func typed(t *Value) *Value {
	v := newObject()
	v.set("type", t)
	return v
}

// orBlockReference lets a block be named by its id instead of written out.
func orBlockReference(definition *Value) *Value {
	ref, err := Parse([]byte(`{"type":"object","properties":{"$ref":{"oneOf":[{"type":"string","format":"uuid"},
		{"type":"object","additionalProperties":{"type":"string"},"minProperties":1}]}},"required":["$ref"]}`))
	if err != nil {
		return definition // the text above is JSON
	}
	v := newObject()
	v.set("oneOf", &Value{kind: array, list: []*Value{definition, ref}})
	return v
}

// removeKey drops the key from all objects within v.
func removeKey(v *Value, key string) {
	v.drop(key)
	for _, item := range v.list {
		removeKey(item, key)
	}
	for _, item := range v.vals {
		removeKey(item, key)
	}
}
