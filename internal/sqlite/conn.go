// Package sqlite runs prepared statements on SQLite without database/sql in
// between, which costs as much as a small statement itself: arguments go to the
// library in one block of memory, columns come out without reflection, and a
// connection, which belongs to one goroutine at a time, takes no locks.
package sqlite

import (
	"fmt"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Error is a failure that SQLite reports.
type Error struct {
	// Result is the extended result code; its low byte is the primary one.
	Result  int
	Message string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.Message, e.Result) }

// Code returns the extended result code, as errors of the driver modernc.org/sqlite do.
func (e *Error) Code() int { return e.Result }

// Conn is a connection. It and its statements may be used by one goroutine at a time.
type Conn struct {
	tls *libc.TLS
	db  uintptr
}

// Open opens a file by its name or its file: URI, makes it if need be, and runs
// the pragmas, such as "busy_timeout(1000)", in their order.
func Open(name string, pragmas ...string) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS()}
	if err := c.open(name); err != nil {
		c.tls.Close()
		return nil, err
	}
	for _, p := range pragmas {
		if err := c.Exec("PRAGMA " + p); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

func (c *Conn) open(name string) error {
	cname, err := libc.CString(name)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, cname)
	out := c.tls.Alloc(ptrSize)
	defer c.tls.Free(ptrSize)
	rc := lib.Xsqlite3_open_v2(c.tls, cname, out, lib.SQLITE_OPEN_READWRITE|lib.SQLITE_OPEN_CREATE|lib.SQLITE_OPEN_URI|lib.SQLITE_OPEN_NOMUTEX, 0)
	c.db = *(*uintptr)(at(out))
	if rc == lib.SQLITE_OK {
		return nil
	}
	err = &Error{Result: int(rc), Message: "the file cannot be opened: " + name}
	if c.db != 0 {
		err = c.failure(rc)
		lib.Xsqlite3_close_v2(c.tls, c.db)
	}
	return err
}

// Exec runs a statement once.
func (c *Conn) Exec(query string, args ...any) error {
	s, err := c.Prepare(query)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Exec(args...)
}

// Changes returns how many rows the last write touched.
func (c *Conn) Changes() int64 { return lib.Xsqlite3_changes64(c.tls, c.db) }

// Close closes the connection. It stays open below until the last of its statements is closed.
func (c *Conn) Close() {
	lib.Xsqlite3_close_v2(c.tls, c.db)
	c.tls.Close()
}

// failure words a result code with what the connection says of its last error.
func (c *Conn) failure(rc int32) error {
	return &Error{Result: int(rc), Message: libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db))}
}

const ptrSize = int(unsafe.Sizeof(uintptr(0)))

// at is the memory at an address that the library gave out.
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// bytesAt are n bytes of the library's memory.
func bytesAt(p uintptr, n int) []byte { return unsafe.Slice((*byte)(at(p)), n) }
