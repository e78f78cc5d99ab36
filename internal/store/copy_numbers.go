package store

import (
	"context"
	"slices"
)

// Log lines and events are followed in the order of their numbers; on Postgres
// the transactions that stored them come before the numbers. Transactions of one
// database mean nothing in another, so copied rows name the transaction 0, before
// all that are to come, and events get higher numbers where their order asks for it.

// positionTable holds how far automations have seen the events.
const positionTable = "automation_position"

// isNumbered reports whether a table's rows are followed by number, and name
// their transaction on Postgres.
func isNumbered(table string) bool { return table == "log" || table == "event" }

// pastOffset lies between the numbers of past events of SQLite and those that
// come from Postgres, where past events have numbers as all others.
const pastOffset = 1 << 40

// position is how far a workspace's automations have seen the events.
type position struct{ tx, seq, renumbered int64 }

// txLast brings the column tx to the end, whence it can be cut off.
func txLast(columns []column) []column {
	out := slices.Clone(columns)
	slices.SortStableFunc(out, func(a, b column) int { return boolRank(a.name == "tx") - boolRank(b.name == "tx") })
	return out
}

func boolRank(last bool) int {
	if last {
		return 1
	}
	return 0
}

// readOf returns the columns to read of a table of the source, and their order:
// the target's, with the transaction, if it is known, as the last.
func (c *copier) readOf(table string) (columns []column, order string) {
	columns = c.columns[table]
	if !isNumbered(table) {
		return columns, ""
	}
	columns = columns[:c.compared(table)]
	if !c.src.postgres() {
		return columns, "seq"
	}
	return append(slices.Clone(columns), column{"tx", "bigint"}), "tx, seq"
}

// compared is how many columns of a table mean the same in both databases.
func (c *copier) compared(table string) int {
	columns := c.columns[table]
	if isNumbered(table) && columns[len(columns)-1].name == "tx" {
		return len(columns) - 1
	}
	return len(columns)
}

// findPositions reads how far the events were seen.
func (c *copier) findPositions(ctx context.Context) error {
	c.positions = map[int64]*position{}
	if _, ok := c.columns[positionTable]; !ok {
		return nil // the schema is older
	}
	rows, err := c.src.rows(ctx, positionTable, []column{{"ws", "bigint"}, {"tx", "bigint"}, {"seq", "bigint"}}, "")
	if err != nil {
		return err
	}
	defer rows.close()
	for {
		row, err := rows.next()
		if err != nil || row == nil {
			return err
		}
		c.positions[row[0].(int64)] = &position{tx: row[1].(int64), seq: row[2].(int64)}
	}
}

// renumber gives a row the number and the transaction that it has in the target.
func (c *copier) renumber(table string, row []any) []any {
	at := func(name string) int {
		return slices.IndexFunc(c.columns[table], func(col column) bool { return col.name == name })
	}
	switch {
	case table == positionTable:
		if p := c.positions[row[at("ws")].(int64)]; p != nil {
			row[at("tx")], row[at("seq")] = int64(0), p.renumbered
		}
		return row
	case !isNumbered(table):
		return row
	}
	place, tx := at("seq"), int64(0)
	seq := row[place].(int64)
	if c.src.postgres() {
		tx = row[len(row)-1].(int64)
		row = row[:len(row)-1]
	}
	past := seq < 0 || tx == pastEvent
	switch {
	case past && seq >= 0 && !c.dst.postgres():
		seq = -pastOffset - seq
	case !past && table == "event":
		was := seq
		seq = max(seq, c.last+1)
		c.last = seq
		for _, p := range c.positions {
			if tx < p.tx || tx == p.tx && was <= p.seq || !c.src.postgres() && was <= p.seq {
				p.renumbered = seq
			}
		}
	}
	row[place] = seq
	if !c.dst.postgres() {
		return row
	}
	if past {
		return append(row, int64(pastEvent))
	}
	return append(row, int64(0))
}
