package store

import (
	"strconv"
	"strings"
)

// dialect holds the fragments of SQL that differ between the databases.
type dialect struct {
	name string
	// forUpdate begins the clause that locks the rows that a read in a
	// transaction returns; the table's alias follows. Empty where one writer has
	// the database to itself.
	forUpdate string
	// skipLocked ends that clause for claims: rows that others hold are passed over.
	skipLocked string
	// visible restricts a follower's read to transactions before which none is still open.
	visible string
	// seqTx is the column that holds the writing transaction, or a constant.
	seqTx string
	// newest orders rows by that and by their number, the newest first.
	newest string
	// barrier numbers the transactions: those that have begun writing have a
	// smaller number; passed holds when all with a smaller number than ? have ended.
	barrier, passed string
	// lateral tells that a table is searched once for each row of another only
	// when it is asked for so; elsewhere CROSS JOIN keeps to the order of the tables.
	lateral bool
	// tagsOf turns the JSON array in a column into rows of one column, value.
	tagsOf func(column string) string
	// member takes the text of a member of the JSON object in a column.
	member func(column, name string) string
	// like is the operator of case-insensitive matching.
	like string
	// deleteSome deletes at most so many rows, the last argument, of a table that
	// meet a condition; key names the columns that tell them apart.
	deleteSome func(table, key, where string) string
	// takeLease is the statement behind Store.Lease; empty where leases go without saying.
	takeLease string
	// freePages is the query for the number of pages that the file can give back
	// to the disk, in a database whose pages are ours to care for.
	freePages string
	// truncate tells that TRUNCATE empties tables at once, however large they are.
	truncate bool
	// bind rewrites the ? of a statement as the driver wants them.
	bind func(q string) string
	// retryable reports whether a transaction that failed so may succeed when run again.
	retryable func(err error) bool
	// lost reports whether an error tells that the connection broke.
	lost func(err error) bool
}

func sqliteDialect() *dialect {
	return &dialect{
		name:      "sqlite",
		visible:   "1 = 1",
		seqTx:     "0",
		newest:    "seq DESC",
		barrier:   "0",
		passed:    "? >= 0",
		tagsOf:    func(column string) string { return "json_each(" + column + ")" },
		member:    func(column, name string) string { return column + " ->> '" + name + "'" },
		like:      "LIKE",
		freePages: "SELECT CASE a.auto_vacuum WHEN 2 THEN f.freelist_count ELSE 0 END FROM pragma_auto_vacuum a, pragma_freelist_count f",
		deleteSome: func(table, key, where string) string {
			return "DELETE FROM " + table + " WHERE (" + key + ") IN (SELECT " + key + " FROM " + table + " WHERE " + where + " LIMIT ?)"
		},
		bind:      func(q string) string { return q },
		retryable: func(error) bool { return false },
		lost:      func(error) bool { return false },
	}
}

func postgresDialect() *dialect {
	return &dialect{
		name:       "postgres",
		forUpdate:  " FOR UPDATE OF ",
		skipLocked: " SKIP LOCKED",
		visible:    "tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
		seqTx:      "tx",
		newest:     "tx DESC, seq DESC",
		barrier:    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
		passed:     "pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= ?",
		tagsOf: func(column string) string {
			return "jsonb_array_elements_text(" + column + "::jsonb) AS each(value)"
		},
		member: func(column, name string) string { return "(" + column + "::jsonb ->> '" + name + "')" },
		like:   "ILIKE",
		deleteSome: func(table, _, where string) string {
			return "DELETE FROM " + table + " WHERE ctid = ANY(ARRAY(SELECT ctid FROM " + table + " WHERE " + where + " LIMIT ?))"
		},
		takeLease: `INSERT INTO lease (name, holder, expires) VALUES ($1, $2, extract(epoch FROM clock_timestamp()) + $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires, fence = lease.fence + 1
			WHERE lease.holder = excluded.holder OR lease.expires < extract(epoch FROM clock_timestamp())`,
		lateral:   true,
		truncate:  true,
		bind:      numbered,
		retryable: postgresRetryable,
		lost:      postgresLost,
	}
}

// numbered rewrites each ? as $1, $2, …. Our SQL has no ? inside literals.
func numbered(q string) string {
	if !strings.Contains(q, "?") {
		return q
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(q, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// placeholders returns n question marks: "?, ?, ?".
func placeholders(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}
