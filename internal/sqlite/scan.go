package sqlite

import (
	"database/sql"
	"fmt"
	"reflect"
	"strconv"

	lib "modernc.org/sqlite/lib"
)

// Scan copies the columns of the row into dest: pointers to strings, integers,
// floats and bools, pointers to pointers to these, which NULL sets to nil,
// pointers to any, and sql.Scanners. A scanner gets texts as strings.
func (s *Stmt) Scan(dest ...any) error {
	if len(dest) != s.columns {
		return fmt.Errorf("sqlite: %d destinations for %d columns", len(dest), s.columns)
	}
	for i, d := range dest {
		if err := s.scan(int32(i), d); err != nil {
			return fmt.Errorf("sqlite: column %d: %w", i, err)
		}
	}
	return nil
}

func (s *Stmt) scan(i int32, dest any) error {
	switch d := dest.(type) {
	case *string:
		if lib.Xsqlite3_column_type(s.c.tls, s.p, i) == lib.SQLITE_TEXT {
			*d = s.text(i)
			return nil
		}
	case **string:
		*d = nil
		switch lib.Xsqlite3_column_type(s.c.tls, s.p, i) {
		case lib.SQLITE_NULL:
			return nil
		case lib.SQLITE_TEXT:
			v := s.text(i)
			*d = &v
			return nil
		}
	case *int64:
		if lib.Xsqlite3_column_type(s.c.tls, s.p, i) == lib.SQLITE_INTEGER {
			*d = lib.Xsqlite3_column_int64(s.c.tls, s.p, i)
			return nil
		}
	case *int:
		if lib.Xsqlite3_column_type(s.c.tls, s.p, i) == lib.SQLITE_INTEGER {
			*d = int(lib.Xsqlite3_column_int64(s.c.tls, s.p, i))
			return nil
		}
	case *any:
		*d = s.column(i)
		return nil
	case sql.Scanner:
		return d.Scan(s.column(i))
	}
	return assign(reflect.ValueOf(dest).Elem(), s.column(i))
}

// column returns a column as nil, int64, float64, string or []byte.
func (s *Stmt) column(i int32) any {
	switch lib.Xsqlite3_column_type(s.c.tls, s.p, i) {
	case lib.SQLITE_INTEGER:
		return lib.Xsqlite3_column_int64(s.c.tls, s.p, i)
	case lib.SQLITE_FLOAT:
		return lib.Xsqlite3_column_double(s.c.tls, s.p, i)
	case lib.SQLITE_TEXT:
		return s.text(i)
	case lib.SQLITE_BLOB:
		return []byte(s.text(i))
	}
	return nil
}

// text copies the bytes of a text or blob.
func (s *Stmt) text(i int32) string {
	p := lib.Xsqlite3_column_text(s.c.tls, s.p, i)
	if p == 0 {
		return ""
	}
	return string(bytesAt(p, int(lib.Xsqlite3_column_bytes(s.c.tls, s.p, i))))
}

// assign sets a variable of a kind that has no case of its own.
func assign(dst reflect.Value, src any) error {
	if dst.Kind() == reflect.Pointer {
		if src == nil {
			dst.SetZero()
			return nil
		}
		dst.Set(reflect.New(dst.Type().Elem()))
		return assign(dst.Elem(), src)
	}
	switch v := src.(type) {
	case string:
		if dst.Kind() == reflect.String {
			dst.SetString(v)
			return nil
		}
	case int64:
		switch {
		case dst.CanInt() && !dst.OverflowInt(v):
			dst.SetInt(v)
			return nil
		case dst.Kind() == reflect.Bool:
			dst.SetBool(v != 0)
			return nil
		case dst.CanFloat():
			dst.SetFloat(float64(v))
			return nil
		case dst.Kind() == reflect.String:
			dst.SetString(strconv.FormatInt(v, 10))
			return nil
		}
	case float64:
		if dst.CanFloat() {
			dst.SetFloat(v)
			return nil
		}
	}
	return fmt.Errorf("a %T does not go into a %s", src, dst.Type())
}
