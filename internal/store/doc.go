// Package store keeps leat's domain in SQLite or Postgres. The SQL is written
// once; what differs between the two databases lies in dialect.go, sqlite.go
// and postgres.go. There is one file per aggregate.
//
// All writes of a process go through one lane (lane.go): callers hand over
// closures, and those that arrive while a commit is being made durable run in
// the next transaction together. One sync serves many callers.
package store
