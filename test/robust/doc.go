// Package robust holds tests that drive the built server through its HTTP API
// and do to it what happens in practice: processes are killed, databases go
// away, disks fill up. After each, everything that the server acknowledged must
// be there once. Parts that need Postgres run when LEAT_TEST_POSTGRES is set.
package robust
