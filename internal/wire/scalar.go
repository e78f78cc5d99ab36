package wire

import (
	"errors"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// scalar reads a single value.
func (d *decoder) scalar(i int, p *plan, r *rules, dst reflect.Value) {
	if d.nodes[i].kind == kindString && !d.stored(i, i+1) {
		return
	}
	switch p.form {
	case formString:
		d.string(i, r, dst)
	case formInt, formUint:
		d.integer(i, r, dst)
	case formFloat:
		d.float(i, r, dst)
	case formBool:
		d.boolean(i, dst)
	case formEnum:
		if s := d.nodes[i]; s.kind == kindString {
			if v := d.str(i); slices.Contains(p.enum, v) {
				dst.SetString(v)
				return
			}
		}
		d.fail(i, "enum", "Input should be "+p.expected, map[string]any{"expected": p.expected})
	case formID:
		d.id(i, dst)
	case formTime:
		d.time(i, dst)
	case formText:
		d.text(i, dst)
	case formStruct, formSlice, formMap, formPointer, formOpt, formRaw, formAny, formCustom, formJSON:
		// walk reads these.
	}
}

func (d *decoder) string(i int, r *rules, dst reflect.Value) {
	if d.nodes[i].kind != kindString {
		d.fail(i, "string_type", "Input should be a valid string", nil)
		return
	}
	s := d.str(i)
	switch {
	case r.min != nil && lengthOf(s) < *r.min:
		d.fail(i, "string_too_short", "String should have at least "+plural(*r.min, "character"), map[string]any{"min_length": *r.min})
	case r.max != nil && lengthOf(s) > *r.max:
		d.fail(i, "string_too_long", "String should have at most "+plural(*r.max, "character"), map[string]any{"max_length": *r.max})
	case r.pattern != nil && !r.pattern.MatchString(s):
		d.fail(i, "string_pattern_mismatch", "String should match pattern '"+r.pattern.String()+"'",
			map[string]any{"pattern": r.pattern.String()})
	default:
		dst.SetString(s)
	}
}

// integerText is what pydantic takes for an integer in a string.
var integerText = regexp.MustCompile(`^[+-]?[0-9]+(_[0-9]+)*(\.0+)?$`)

const sizeMessage = "Unable to parse input string as an integer, exceeded maximum size"

func (d *decoder) integer(i int, r *rules, dst reflect.Value) {
	text := ""
	switch n := d.nodes[i]; {
	case n.kind == kindTrue:
		text = "1"
	case n.kind == kindFalse:
		text = "0"
	case n.kind == kindNumber && !n.fraction:
		text = string(d.raw(i))
	case n.kind == kindNumber:
		var ok bool
		if text, ok = d.wholeNumber(i); !ok {
			return
		}
	case n.kind == kindString:
		text = strings.TrimSpace(d.str(i))
		if !integerText.MatchString(text) {
			d.fail(i, "int_parsing", "Input should be a valid integer, unable to parse string as an integer", nil)
			return
		}
		text, _, _ = strings.Cut(strings.ReplaceAll(text, "_", ""), ".")
	default:
		d.fail(i, "int_type", "Input should be a valid integer", nil)
		return
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err == nil && !d.bounded(i, float64(v), r, false) {
		return
	}
	switch {
	case err != nil:
	case dst.CanInt() && !dst.OverflowInt(v):
		dst.SetInt(v)
		return
	case dst.CanUint() && v >= 0 && !dst.OverflowUint(uint64(v)):
		dst.SetUint(uint64(v))
		return
	}
	d.fail(i, "int_parsing_size", sizeMessage, nil)
}

// wholeNumber gives the text of a float without a fraction.
func (d *decoder) wholeNumber(i int) (string, bool) {
	f, err := parseFloat(string(d.raw(i)))
	switch {
	case err != nil:
		d.fail(i, "finite_number", "Input should be a finite number", nil)
	case f != math.Trunc(f):
		d.fail(i, "int_from_float", "Input should be a valid integer, got a number with a fractional part", nil)
	case math.Abs(f) >= 1<<63:
		d.fail(i, "int_parsing_size", sizeMessage, nil)
	default:
		return strconv.FormatInt(int64(f), 10), true
	}
	return "", false
}

// floatText is what pydantic takes for a number in a string, without the
// infinities and NaN, which no answer could hold.
var floatText = regexp.MustCompile(`^[+-]?([0-9]+(_[0-9]+)*\.?([0-9]+(_[0-9]+)*)?|\.[0-9]+(_[0-9]+)*)([eE][+-]?[0-9]+)?$`)

func (d *decoder) float(i int, r *rules, dst reflect.Value) {
	var f float64
	var err error
	switch d.nodes[i].kind {
	case kindTrue:
		f = 1
	case kindFalse:
	case kindNumber:
		f, err = parseFloat(string(d.raw(i)))
	case kindString:
		text := strings.TrimSpace(d.str(i))
		if !floatText.MatchString(text) {
			d.fail(i, "float_parsing", "Input should be a valid number, unable to parse string as a number", nil)
			return
		}
		f, err = parseFloat(strings.ReplaceAll(text, "_", ""))
	case kindNull, kindArray, kindObject:
		d.fail(i, "float_type", "Input should be a valid number", nil)
		return
	}
	if err != nil || dst.OverflowFloat(f) {
		d.fail(i, "finite_number", "Input should be a finite number", nil)
		return
	}
	if d.bounded(i, f, r, true) {
		dst.SetFloat(f)
	}
}

var errInfinite = errors.New("number is beyond a float")

// parseFloat reads a number; one too large for a float is an error.
func parseFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if math.IsInf(f, 0) {
		return 0, errInfinite
	}
	return f, err
}

// bounded checks a number's limits; those of floats are shown as floats.
func (d *decoder) bounded(i int, v float64, r *rules, float bool) bool {
	refuse := func(key, kind, words string, limit float64) bool {
		text := strconv.FormatFloat(limit, 'f', -1, 64)
		var shown any = Float(limit)
		if !float {
			shown = int64(limit)
		}
		d.fail(i, kind, "Input should be "+words+" "+text, map[string]any{key: shown})
		return false
	}
	switch {
	case r.le != nil && v > *r.le:
		return refuse("le", "less_than_equal", "less than or equal to", *r.le)
	case r.lt != nil && v >= *r.lt:
		return refuse("lt", "less_than", "less than", *r.lt)
	case r.ge != nil && v < *r.ge:
		return refuse("ge", "greater_than_equal", "greater than or equal to", *r.ge)
	case r.gt != nil && v <= *r.gt:
		return refuse("gt", "greater_than", "greater than", *r.gt)
	}
	return true
}

func (d *decoder) boolean(i int, dst reflect.Value) {
	switch d.nodes[i].kind {
	case kindTrue:
		dst.SetBool(true)
		return
	case kindFalse:
		dst.SetBool(false)
		return
	case kindNumber:
		f, err := parseFloat(string(d.raw(i)))
		if err == nil && (f == 0 || f == 1) {
			dst.SetBool(f == 1)
			return
		}
		if err != nil || f != math.Trunc(f) {
			d.fail(i, "bool_type", "Input should be a valid boolean", nil)
			return
		}
	case kindString:
		switch strings.ToLower(d.str(i)) {
		case "true", "t", "yes", "y", "on", "1":
			dst.SetBool(true)
			return
		case "false", "f", "no", "n", "off", "0":
			dst.SetBool(false)
			return
		}
	case kindNull, kindArray, kindObject:
		d.fail(i, "bool_type", "Input should be a valid boolean", nil)
		return
	}
	d.fail(i, "bool_parsing", "Input should be a valid boolean, unable to interpret input", nil)
}

func (d *decoder) id(i int, dst reflect.Value) {
	if d.nodes[i].kind != kindString {
		d.fail(i, "uuid_type", "UUID input should be a string, bytes or UUID object", nil)
		return
	}
	s := d.str(i)
	id, err := core.ParseID(s)
	if err != nil {
		reason := uuidFault(s)
		d.fail(i, "uuid_parsing", "Input should be a valid UUID, "+reason, map[string]any{"error": reason})
		return
	}
	*dst.Addr().Interface().(*core.ID) = id
}

func (d *decoder) time(i int, dst reflect.Value) {
	var t time.Time
	var fault *timeFault
	switch n := d.nodes[i]; n.kind {
	case kindString:
		t, fault = parseTime(d.str(i))
	case kindNumber:
		t, fault = unixTime(string(d.raw(i)))
	case kindNull, kindFalse, kindTrue, kindArray, kindObject:
		d.fail(i, "datetime_type", "Input should be a valid datetime", nil)
		return
	}
	if fault != nil {
		d.fail(i, fault.kind, fault.message(), map[string]any{"error": fault.reason})
		return
	}
	switch v := dst.Addr().Interface().(type) {
	case *Time:
		v.Time = t
	case *time.Time:
		*v = t
	}
}
