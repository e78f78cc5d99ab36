// Package store keeps leat's domain in SQLite or Postgres. The SQL is written
// once; what differs between the two databases lies in dialect.go, sqlite.go
// and postgres.go. There is one file per aggregate.
//
// All writes of a process go through one lane (lane.go): callers hand over
// closures, and those that arrive while a commit is being made durable run in
// the next transaction together. One sync serves many callers; a caller who finds
// the lane idle writes by itself.
//
// A row that is found by an id is asked for with `ws + 0 = ?`, so that no index
// that begins with the workspace is taken for it: on a table that Postgres has not
// analyzed yet both look alike to the planner, and a plan once made is kept.
package store
