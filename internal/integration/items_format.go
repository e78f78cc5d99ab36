package integration

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// csv reads rows: each is an object of texts by the headers. What a row lacks is
// empty, what it has too much is left out.
func (r *reading) csv(data []byte) ([]any, error) {
	rows, err := r.rows(data)
	if err != nil {
		return nil, err
	}
	headers, err := r.headers(rows)
	if err != nil {
		return nil, err
	}
	return r.records(rows, headers)
}

func (r *reading) rows(data []byte) (*csv.Reader, error) {
	rows := csv.NewReader(bytes.NewReader(data))
	rows.FieldsPerRecord, rows.LazyQuotes, rows.ReuseRecord = -1, true, true
	switch d := r.text("CSVDelimiter"); d {
	case "", "COMMA":
	case "PIPE":
		rows.Comma = '|'
	case "SEMICOLON":
		rows.Comma = ';'
	case "SPACE":
		rows.Comma = ' '
	case "TAB":
		rows.Comma = '\t'
	default:
		return nil, causef("The CSVDelimiter %s is not known", d)
	}
	return rows, nil
}

// headers are the names of the columns, by CSVHeaderLocation.
func (r *reading) headers(rows *csv.Reader) ([]string, error) {
	var names []string
	if r.text("CSVHeaderLocation") == "GIVEN" {
		list, _ := pick(r.config, "CSVHeaders").([]any)
		for _, v := range list {
			name, ok := v.(string)
			if !ok {
				return nil, causef("CSVHeaders must be strings")
			}
			names = append(names, name)
		}
	} else {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, causef("The CSV file cannot be read: %v", err)
		}
		names = append(names, row...)
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return nil, causef("CSV headers cannot contain duplicates.")
		}
		seen[name] = true
	}
	return names, nil
}

func (r *reading) records(rows *csv.Reader, headers []string) ([]any, error) {
	items := []any{}
	for !r.full(items) {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, causef("The CSV file cannot be read: %v", err)
		}
		item := value.NewObject(len(headers))
		for i, name := range headers {
			field := ""
			if i < len(row) {
				field = strings.Clone(row[i])
			}
			item.Set(name, field)
		}
		items = append(items, item)
	}
	return items, nil
}

// json reads an array, or what ItemsPointer points to.
func (r *reading) json(data []byte) ([]any, error) {
	v, err := value.Parse(data)
	if err != nil {
		return nil, causef("The JSON file cannot be read: %v", err)
	}
	pointer, pointed := pick(r.config, "ItemsPointer").(string)
	if pointed {
		var ok bool
		if v, ok = point(v, pointer); !ok {
			return nil, causef("The ItemsPointer %s points to nothing in the file", pointer)
		}
	}
	switch v := v.(type) {
	case []any:
		return v, nil
	case *value.Object:
		if pointed {
			items := make([]any, 0, v.Len())
			for k, e := range v.All() {
				items = append(items, value.Of("Key", k, "Value", e))
			}
			return items, nil
		}
	}
	return nil, causef("Attempting to map over non-iterable node.")
}

// point follows a JSON pointer (RFC 6901).
func point(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for step := range strings.SplitSeq(pointer[1:], "/") {
		step = unescape.Replace(step)
		switch in := v.(type) {
		case *value.Object:
			next, ok := in.Get(step)
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(in) || strconv.Itoa(n) != step {
				return nil, false
			}
			v = in[n]
		default:
			return nil, false
		}
	}
	return v, true
}

// lines reads an item from each line that is not empty.
func (r *reading) lines(data []byte) ([]any, error) {
	items := []any{}
	number := 0
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		v, err := value.Parse(line)
		if err != nil {
			return nil, causef("Line %d of the JSONL file cannot be read: %v", number, err)
		}
		if items = append(items, v); r.full(items) {
			break
		}
	}
	return items, nil
}
