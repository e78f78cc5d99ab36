package core

import (
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// ID is a UUID. Ids that leat makes are of version 7, so that rows inserted
// together lie together in the indexes.
type ID [16]byte

// WorkspaceID numbers a workspace within one installation. Rows carry it
// instead of a UUID because every index starts with it.
type WorkspaceID int64

// DefaultWorkspace is the workspace behind /api, and the only one until
// workspaces can be made.
const DefaultWorkspace WorkspaceID = 1

// NewID returns a UUIDv7 for the time now.
func NewID(now time.Time) ID {
	var id ID
	// crypto/rand.Read never fails on supported platforms; it ends the program instead.
	_, _ = rand.Read(id[6:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// NumberedID returns the UUIDv7 of the thing with that number, made at that
// time: the same whenever it is asked for, so that it need not be stored.
func NumberedID(at time.Time, number int64) ID {
	id := ID{6: 0x70, 8: 0x80}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.UnixMilli()))
	copy(id[:6], b[2:])
	binary.BigEndian.PutUint64(b[:], uint64(number))
	copy(id[9:], b[1:])
	return id
}

// ParseID reads a UUID in its canonical form, without hyphens, in braces or
// with the urn:uuid: prefix, as the Prefect API does.
func ParseID(s string) (ID, error) {
	var id ID
	in := s
	if len(s) > 9 && s[:9] == "urn:uuid:" {
		s = s[9:]
	}
	if len(s) == 38 && s[0] == '{' && s[37] == '}' {
		s = s[1:37]
	}
	var digits [32]byte
	switch len(s) {
	case 36:
		if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return id, fmt.Errorf("%q is not a UUID", in)
		}
		copy(digits[0:], s[0:8])
		copy(digits[8:], s[9:13])
		copy(digits[12:], s[14:18])
		copy(digits[16:], s[19:23])
		copy(digits[20:], s[24:36])
	case 32:
		copy(digits[:], s)
	default:
		return id, fmt.Errorf("%q is not a UUID", in)
	}
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return ID{}, fmt.Errorf("%q is not a UUID", in)
	}
	return id, nil
}

// IsZero reports whether id is unset.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the canonical form.
func (id ID) String() string {
	var b [36]byte
	id.encode(&b)
	return string(b[:])
}

func (id ID) encode(b *[36]byte) {
	hex.Encode(b[0:8], id[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], id[10:16])
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) {
	var b [36]byte
	id.encode(&b)
	return b[:], nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Value implements driver.Valuer: ids are stored as text, so that a person
// can query the database; the zero id is stored as NULL.
func (id ID) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil
	}
	return id.String(), nil
}

// Scan implements sql.Scanner.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ID{}
		return nil
	case string:
		return id.UnmarshalText([]byte(v))
	case []byte:
		return id.UnmarshalText(v)
	}
	return fmt.Errorf("scan %T into an id", src)
}
