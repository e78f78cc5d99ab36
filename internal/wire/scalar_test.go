package wire_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/wire"
)

// The wanted texts are those of pydantic.
func TestScalarsAreReadAsPydanticReadsThem(t *testing.T) {
	t.Parallel()
	const (
		intParsing = `int_parsing: Input should be a valid integer, unable to parse string as an integer`
		intType    = `int_type: Input should be a valid integer`
		intSize    = `int_parsing_size: Unable to parse input string as an integer, exceeded maximum size`
		floatParse = `float_parsing: Input should be a valid number, unable to parse string as a number`
		boolParse  = `bool_parsing: Input should be a valid boolean, unable to interpret input`
		boolType   = `bool_type: Input should be a valid boolean`
		uuid       = `uuid_parsing: Input should be a valid UUID, `
		dateTime   = `datetime_from_date_parsing: Input should be a valid datetime or date, `
		extraChars = dateTime + `unexpected extra characters at the end of the input`
	)
	tests := []struct{ field, in, want string }{
		{"int", `5`, `5`},
		{"int", `"5"`, `5`},
		{"int", `" 5 "`, `5`},
		{"int", `"5.0"`, `5`},
		{"int", `"5.5"`, intParsing},
		{"int", `"1_000"`, `1000`},
		{"int", `"_1"`, intParsing},
		{"int", `"1__0"`, intParsing},
		{"int", `"+5"`, `5`},
		{"int", `"-5"`, `-5`},
		{"int", `"- 5"`, intParsing},
		{"int", `""`, intParsing},
		{"int", `5.0`, `5`},
		{"int", `true`, `1`},
		{"int", `false`, `0`},
		{"int", `null`, intType},
		{"int", `[]`, intType},
		{"int", `{}`, intType},
		{"int", `1e30`, intSize},
		{"int", `99999999999999999999`, intSize},
		{"int", `"0x10"`, intParsing},
		{"int", `"05"`, `5`},
		{"int", `"5."`, intParsing},
		{"int", `"1e3"`, intParsing},
		{"int", `1e3`, `1000`},
		{"int", `"1_0.0"`, `10`},
		{"int", `1e400`, `finite_number: Input should be a finite number`},
		{"int", `"٣"`, intParsing},
		{"small", `128`, intSize},
		{"small", `-128`, `-128`},
		{"count", `0`, `greater_than: Input should be greater than 0`},
		{"count", `6`, `less_than: Input should be less than 5`},
		{"count", `4`, `4`},
		{"float", `5`, `5`},
		{"float", `"5"`, `5`},
		{"float", `" 5.5 "`, `5.5`},
		{"float", `"1e3"`, `1000`},
		{"float", `""`, floatParse},
		{"float", `"x"`, floatParse},
		{"float", `true`, `1`},
		{"float", `null`, `float_type: Input should be a valid number`},
		{"float", `"1_0"`, `10`},
		{"float", `"1."`, `1`},
		{"float", `".5"`, `0.5`},
		{"float", `"1_0.5_0"`, `10.5`},
		{"float", `"0x1p3"`, floatParse},
		{"float", `"inf"`, floatParse},
		{"float", `1e400`, `finite_number: Input should be a finite number`},
		{"rate", `0`, `greater_than: Input should be greater than 0`},
		{"rate", `6`, `less_than_equal: Input should be less than or equal to 5.5`},
		{"bool", `true`, `true`},
		{"bool", `0`, `false`},
		{"bool", `1`, `true`},
		{"bool", `2`, boolParse},
		{"bool", `1.0`, `true`},
		{"bool", `1.5`, boolType},
		{"bool", `"TRUE"`, `true`},
		{"bool", `"oN"`, `true`},
		{"bool", `"n"`, `false`},
		{"bool", `"off"`, `false`},
		{"bool", `" true"`, boolParse},
		{"bool", `""`, boolParse},
		{"bool", `null`, boolType},
		{"bool", `[]`, boolType},
		{"string", `""`, `string_too_short: String should have at least 1 character`},
		{"string", `"ééé"`, `"ééé"`},
		{"string", `"abcd"`, `string_too_long: String should have at most 3 characters`},
		{"string", `true`, `string_type: Input should be a valid string`},
		{"list", `[]`, `too_short: List should have at least 1 item after validation, not 0`},
		{"list", `["a","b",1]`, `too_long: List should have at most 2 items after validation, not 3`},
		{"map", `{}`, `too_short: Dictionary should have at least 1 item after validation, not 0`},
		{"map", `{"a":"x"}`, intParsing},
		{"map", `{"a":1,"b":"2"}`, `{"a":1,"b":2}`},
		{"state", `"RUNNING"`, `"RUNNING"`},
		{"state", `"running"`, `enum: Input should be 'SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED' or 'CANCELLING'`},
		{"object", `[]`, `dict_type: Input should be a valid dictionary`},
		{"object", `null`, `dict_type: Input should be a valid dictionary`},
		{"object", `{"b":1,"a":1.0}`, `{"b":1,"a":1.0}`},
		{"array", `{}`, `list_type: Input should be a valid list`},
		{"array", ` [ 1 ] `, `[1]`},
		{"raw", `12345678901234567890`, `12345678901234567890`},
		{"any", `12345678901234567890`, `12345678901234567890`},
		{"raw", `"\ud800"`, `string_unicode: Input should be a valid string, unable to parse raw data as a unicode string`},
		{"string", `"\ud800"`, `string_unicode: Input should be a valid string, unable to parse raw data as a unicode string`},
		{"string", `"\u0000"`, `value_error: Value error, text must not contain the NUL character (\u0000)`},
		{"object", `{"a\u0000":1}`, `value_error: Value error, text must not contain the NUL character (\u0000)`},
		{"map", `{"\u0000":1}`, `value_error: Value error, text must not contain the NUL character (\u0000)`},
		{"raw", `[1e400]`, `finite_number: Input should be a finite number`},
		{"id", `"ABCDEFAB-0000-0000-0000-00000000000A"`, `"abcdefab-0000-0000-0000-00000000000a"`},
		{"id", `"{00000000-0000-0000-0000-000000000001}"`, `"00000000-0000-0000-0000-000000000001"`},
		{"id", `"urn:uuid:00000000-0000-0000-0000-000000000001"`, `"00000000-0000-0000-0000-000000000001"`},
		{"id", `1`, `uuid_type: UUID input should be a string, bytes or UUID object`},
		{"id", `""`, uuid + `invalid length: found 0`},
		{"id", `"0000"`, uuid + `invalid length: found 4`},
		{"id", `"00000000-0000-0000-0000-00000000000g"`, uuid + "invalid character: found `g` at 35"},
		{"id", `"00000000-0000-0000-0000-0000000000000"`, uuid + `invalid group length in group 4: expected 12, found 13`},
		{"id", `"00000000-0000-0000-000000000000-0001"`, uuid + `invalid group length in group 3: expected 4, found 12`},
		{"id", `"é"`, uuid + "invalid character: found `é` at 0"},
		{"id", `"00000000-0000-0000-0000"`, uuid + `invalid group count: expected 5, found 4`},
		{"id", `"{00000000-0000-0000-0000-000000000001"`, uuid + "invalid character: found `{` at 0"},
		{"id", `"0000000000000000000000000000000-"`, uuid + `invalid group count: expected 5, found 2`},
		{"id", `"urn:uuid:0"`, uuid + `invalid group count: expected 5, found 1`},
		{"id", `"{}"`, uuid + `invalid group count: expected 5, found 1`},
		{"time", `"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:05Z"`},
		{"time", `"2026-01-02 03:04:05"`, `"2026-01-02T03:04:05Z"`},
		{"time", `"2026-01-02_03:04"`, `"2026-01-02T03:04:00Z"`},
		{"time", `"2026-01-02"`, `"2026-01-02T00:00:00Z"`},
		{"time", `"2026-01-02T03:04:05.1234567+0530"`, `"2026-01-01T21:34:05.123456Z"`},
		{"time", `"2026-01-02T03:04:05+05"`, extraChars},
		{"time", `"2026-01-02T03:04:05,5"`, `"2026-01-02T03:04:05.500000Z"`},
		{"time", `"2026-01-02t03:04:05-01:00"`, `"2026-01-02T04:04:05Z"`},
		{"time", `1700000000`, `"2023-11-14T22:13:20Z"`},
		{"time", `1700000000.1234567`, `"2023-11-14T22:13:20.123457Z"`},
		{"time", `1700000000000`, `"2023-11-14T22:13:20Z"`},
		{"time", `-1`, `"1969-12-31T23:59:59Z"`},
		{"time", `"-1.5"`, `"1969-12-31T23:59:58.500000Z"`},
		{"time", `"1700000000.5"`, `"2023-11-14T22:13:20.500000Z"`},
		{"time", `20000000000`, `"2603-10-11T11:33:20Z"`},
		{"time", `20000000001`, `"1970-08-20T11:33:20.001000Z"`},
		{"time", `1.0000005`, `"1970-01-01T00:00:01.000001Z"`},
		{"time", `"x"`, dateTime + `input is too short`},
		{"time", `"2026-13-01"`, dateTime + `month value is outside expected range of 1-12`},
		{"time", `"2026-02-29T00:00:00"`, dateTime + `day value is outside expected range`},
		{"time", `"2026-1-2T00:00:00"`, dateTime + `invalid character in month`},
		{"time", `"2026-01-02T25:00:00"`, extraChars},
		{"time", `"2026-01-02T03:04:60"`, extraChars},
		{"time", `"2026-01-02X03:04:05"`, extraChars},
		{"time", `"2026-01-02T03:04:05+24:00"`, extraChars},
		{"time", `"2026-01-02T"`, extraChars},
		{"time", `"20260102T030405Z"`, dateTime + "invalid date separator, expected `-`"},
		{"time", `" 2026-01-02T03:04:05Z"`, dateTime + `invalid character in year`},
		{"time", `"0000-01-01T00:00:00Z"`, `datetime_parsing: Input should be a valid datetime, year 0 is out of range`},
		{"time", `1e20`, `datetime_parsing: Input should be a valid datetime, dates after 9999 are not supported as unix timestamps`},
		{"time", `null`, `datetime_type: Input should be a valid datetime`},
		{"time", `true`, `datetime_type: Input should be a valid datetime`},
	}
	for _, tt := range tests {
		t.Run(tt.field+" "+tt.in, func(t *testing.T) {
			t.Parallel()
			var v kinds
			err := wire.Decode([]byte(`{"`+tt.field+`":`+tt.in+`}`), &v)
			got := ""
			if invalid, ok := errors.AsType[*wire.Invalid](err); ok {
				got = invalid.Errors[0].Type + ": " + invalid.Errors[0].Msg
			} else if err != nil {
				t.Fatal(err)
			} else {
				out, err := wire.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				var fields map[string]json.RawMessage
				if err := json.Unmarshal(out, &fields); err != nil {
					t.Fatal(err)
				}
				got = string(fields[tt.field])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The reasons and positions are those of Python 3.11's json module.
func TestMalformedJSONIsReportedAsPythonDoes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body, reason string
		pos          int
	}{
		{`[1,]`, "Expecting value", 3},
		{`{"a":1,}`, "Expecting property name enclosed in double quotes", 7},
		{`[`, "Expecting value", 1},
		{`{`, "Expecting property name enclosed in double quotes", 1},
		{`{"a"`, "Expecting ':' delimiter", 4},
		{`{"a":`, "Expecting value", 5},
		{`{"a":1`, "Expecting ',' delimiter", 6},
		{`"a`, "Unterminated string starting at", 0},
		{"\"\x01\"", "Invalid control character at", 1},
		{`"\x"`, `Invalid \escape`, 1},
		{`"\u12"`, `Invalid \uXXXX escape`, 2},
		{`"\u12zz"`, `Invalid \uXXXX escape`, 2},
		{`"\u1234`, `Invalid \uXXXX escape`, 2},
		{`"\`, "Unterminated string starting at", 0},
		{`1.`, "Extra data", 1},
		{`01`, "Extra data", 1},
		{`1e`, "Extra data", 1},
		{`-`, "Expecting value", 0},
		{`[1 2]`, "Expecting ',' delimiter", 3},
		{`[1`, "Expecting ',' delimiter", 2},
		{`{"a" 1}`, "Expecting ':' delimiter", 5},
		{`nul`, "Expecting value", 0},
		{`  `, "Expecting value", 2},
		{`["é", x]`, "Expecting value", 6},
		{`{"name":"a"}x`, "Extra data", 12},
		{`{"limit": nope}`, "Expecting value", 10},
		// The reference takes these and fails later, with 500.
		{`{"name":NaN}`, "Expecting value", 8},
		{`-Infinity`, "Expecting value", 0},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			t.Parallel()
			var v any
			var malformed *wire.Malformed
			if err := wire.Decode([]byte(tt.body), &v); !errors.As(err, &malformed) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(&wire.Malformed{Pos: tt.pos, Reason: tt.reason}, malformed); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsDoNotOutgrowTheBody(t *testing.T) {
	t.Parallel()
	large := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	for name, body := range map[string]string{
		"many values": "[" + strings.Repeat("1,", 100_000) + "1]",
		"a large value that is shown for each missing field": "[" + large + "," + large + "]",
	} {
		var v []nested
		var invalid *wire.Invalid
		if err := wire.Decode([]byte(body), &v); !errors.As(err, &invalid) {
			t.Fatalf("%s: %v", name, err)
		}
		size := 0
		for _, e := range invalid.Errors {
			size += len(e.Input)
		}
		if n := len(invalid.Errors); n > 1000 || n < 2 || size > 2<<20 {
			t.Errorf("%s: %d errors that show %d bytes", name, n, size)
		}
	}
}

func TestUnreadableBodiesAreTold(t *testing.T) {
	t.Parallel()
	var v any
	nest := func(depth int) []byte {
		return []byte(strings.Repeat(`{"a":[`, depth/2) + "1" + strings.Repeat(`]}`, depth/2))
	}
	if err := wire.Decode(nest(200), &v); err != nil {
		t.Errorf("200 levels: %v", err)
	}
	for _, depth := range []int{1200, 100_000} {
		var deep *wire.TooDeep
		if err := wire.Decode(nest(depth), &v); !errors.As(err, &deep) {
			t.Errorf("%s levels: %v", strconv.Itoa(depth), err)
		}
	}
	var many *wire.TooDeep
	if err := wire.Decode([]byte("["+strings.Repeat("1,", 5_000_000)+"1]"), &v); !errors.As(err, &many) {
		t.Errorf("five million values: %v", err)
	}
	var bad *wire.BadEncoding
	if err := wire.Decode([]byte("\"\xff\""), &v); !errors.As(err, &bad) {
		t.Errorf("bytes that are not UTF-8: %v", err)
	}
	if err := wire.Decode([]byte("\ufeff1"), &v); err != nil {
		t.Errorf("a byte order mark: %v", err)
	}
}
