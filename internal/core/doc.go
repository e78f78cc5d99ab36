// Package core holds leat's domain: the nouns that all dialects translate to
// (flow, flow run, task run, state, deployment, work pool, event, …), their
// error codes, their filters, and the small store interfaces by which the
// engine reads and writes them. It does no I/O and imports only the standard
// library.
package core
