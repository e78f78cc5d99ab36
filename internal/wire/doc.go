// Package wire reads and writes JSON as FastAPI and pydantic do, so that clients
// written for the Prefect REST API see the same acceptance, the same errors and
// the same answers.
//
// Decode reads a request body into a Go value in two steps: one pass over the
// text makes an index of its values and finds malformed JSON, a second one walks
// the Go type along that index. The type says what is accepted:
//
//   - a plain field refuses null; pointers, Opt, json.RawMessage and any take it;
//   - the tag `wire:"required"` makes an absent key an error; all other fields
//     keep what the destination held, or their default;
//   - further options of the tag: nullable (null leaves the field alone),
//     object or array (for json.RawMessage), ge=, gt=, le=, lt= (numbers), min=,
//     max= (length of strings, lists and maps), pattern= (a name in the table of
//     patterns) and default= (for scalars);
//   - on a blank field (_ struct{}): forbid refuses unknown keys, as pydantic
//     models do; embed says that the keys are parameters of an endpoint, not
//     of a model: null is the same as absent, and an empty body is {}.
//
// A type can restrict or replace this: Enum lists a string type's values, and
// DecodeWire reads the value by itself.
package wire
