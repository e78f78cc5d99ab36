package sqlite

import (
	"database/sql/driver"
	"fmt"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// keepBytes is the block for arguments that a statement keeps between uses; a
// larger one is given back.
const keepBytes = 64 << 10

// Stmt is a prepared statement: Bind, Step until false, Reset.
type Stmt struct {
	c       *Conn
	p       uintptr
	params  int
	columns int
	// block holds the texts and blobs of the bound arguments, size bytes of them.
	block uintptr
	size  int
}

// Prepare compiles one statement.
func (c *Conn) Prepare(query string) (*Stmt, error) {
	text, err := libc.CString(query)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, text)
	out := c.tls.Alloc(ptrSize)
	defer c.tls.Free(ptrSize)
	rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, text, int32(len(query)+1), lib.SQLITE_PREPARE_PERSISTENT, out, 0)
	if rc != lib.SQLITE_OK {
		return nil, c.failure(rc)
	}
	s := &Stmt{c: c, p: *(*uintptr)(at(out))}
	if s.p == 0 {
		return nil, fmt.Errorf("sqlite: %q holds no statement", query)
	}
	s.params = int(lib.Xsqlite3_bind_parameter_count(c.tls, s.p))
	s.columns = int(lib.Xsqlite3_column_count(c.tls, s.p))
	return s, nil
}

// Exec runs the statement to its end.
func (s *Stmt) Exec(args ...any) error {
	if err := s.Bind(args...); err != nil {
		return err
	}
	for {
		more, err := s.Step()
		if err != nil {
			return err
		}
		if !more {
			s.Reset()
			return nil
		}
	}
}

// Bind sets all arguments: strings, byte slices, integers, floats, bools, nil,
// pointers to strings, and driver.Valuers. The statement must not be under way.
func (s *Stmt) Bind(args ...any) error {
	if len(args) != s.params {
		return fmt.Errorf("sqlite: %d arguments for %d parameters", len(args), s.params)
	}
	var few [24]driver.Value
	values := few[:0]
	total := 0
	for i, arg := range args {
		v, err := value(arg)
		if err != nil {
			return fmt.Errorf("sqlite: argument %d: %w", i+1, err)
		}
		values = append(values, v)
		switch v := v.(type) {
		case string:
			total += len(v)
		case []byte:
			total += len(v)
		}
	}
	if err := s.reserve(total); err != nil {
		return err
	}
	used := 0
	for i, v := range values {
		n, rc := s.bind(int32(i+1), v, used)
		if rc != lib.SQLITE_OK {
			return s.c.failure(rc)
		}
		used += n
	}
	return nil
}

// bind sets one argument and returns how much of the block it took from used on.
func (s *Stmt) bind(i int32, v driver.Value, used int) (int, int32) {
	tls := s.c.tls
	switch v := v.(type) {
	case string:
		copy(bytesAt(s.block+uintptr(used), len(v)), v)
		return len(v), lib.Xsqlite3_bind_text(tls, s.p, i, s.block+uintptr(used), int32(len(v)), lib.SQLITE_STATIC)
	case []byte:
		copy(bytesAt(s.block+uintptr(used), len(v)), v)
		return len(v), lib.Xsqlite3_bind_blob(tls, s.p, i, s.block+uintptr(used), int32(len(v)), lib.SQLITE_STATIC)
	case int64:
		return 0, lib.Xsqlite3_bind_int64(tls, s.p, i, v)
	case float64:
		return 0, lib.Xsqlite3_bind_double(tls, s.p, i, v)
	case bool:
		var n int64
		if v {
			n = 1
		}
		return 0, lib.Xsqlite3_bind_int64(tls, s.p, i, n)
	}
	return 0, lib.Xsqlite3_bind_null(tls, s.p, i) // value lets nothing else through
}

// value brings an argument to a string, []byte, int64, float64, bool or nil.
func value(arg any) (driver.Value, error) {
	switch a := arg.(type) {
	case nil, string, []byte, int64, float64, bool:
		return a, nil
	case int:
		return int64(a), nil
	case *string:
		if a == nil {
			return nil, nil
		}
		return *a, nil
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case nil, string, []byte, int64, float64, bool:
		return v, nil
	}
	return nil, fmt.Errorf("a %T cannot be stored", arg)
}

// reserve makes room for n bytes, and for one at least: an address of nothing is NULL.
func (s *Stmt) reserve(n int) error {
	if n = max(n, 1); n <= s.size {
		return nil
	}
	n = max(n, 256)
	s.release()
	if s.block = libc.Xmalloc(s.c.tls, libc.Tsize_t(n)); s.block == 0 {
		return &Error{Result: lib.SQLITE_NOMEM, Message: "out of memory"}
	}
	s.size = n
	return nil
}

func (s *Stmt) release() {
	if s.block != 0 {
		libc.Xfree(s.c.tls, s.block)
		s.block, s.size = 0, 0
	}
}

// Step goes to the next row and reports whether there is one. After an error
// the statement is reset.
func (s *Stmt) Step() (bool, error) {
	switch rc := lib.Xsqlite3_step(s.c.tls, s.p); rc {
	case lib.SQLITE_ROW:
		return true, nil
	case lib.SQLITE_DONE:
		return false, nil
	default:
		err := s.c.failure(lib.Xsqlite3_extended_errcode(s.c.tls, s.c.db))
		s.Reset()
		return false, err
	}
}

// Reset ends the execution; the statement can be bound and stepped again.
func (s *Stmt) Reset() {
	lib.Xsqlite3_reset(s.c.tls, s.p) // it repeats the error that Step returned
	if s.size > keepBytes {
		lib.Xsqlite3_clear_bindings(s.c.tls, s.p)
		s.release()
	}
}

// Close gives the statement up.
func (s *Stmt) Close() {
	lib.Xsqlite3_finalize(s.c.tls, s.p)
	s.release()
}
