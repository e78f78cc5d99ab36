// Package engine holds every change of state: it creates runs, decides by pure
// rules (rules.go) what becomes of a proposed state, keeps limits, and writes
// the events that tell of it in the same transaction.
package engine
