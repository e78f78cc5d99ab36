// Package jsonschema checks JSON values against JSON Schema (draft 2020-12) and
// words what is wrong as Python's jsonschema does, since that is what users of
// the Prefect REST API read when the parameters of a run are refused. Of many
// violations it reports the one that Python would choose. It does no I/O: only
// references within the schema itself are followed. The keywords
// unevaluatedItems, unevaluatedProperties and $dynamicRef are not checked, nor is
// format, as in the reference.
package jsonschema
