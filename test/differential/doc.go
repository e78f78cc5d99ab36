// Package differential sends seeded random sequences of calls of the REST API
// to leat and to the Prefect server that it replaces and compares the answers.
// It has no code of its own: everything is in its tests, and README.md says
// how to run them.
package differential
