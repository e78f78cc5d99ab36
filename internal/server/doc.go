// Package server composes a leat server: configuration, store, engine,
// services and the dialects' handlers. It is the only place that knows them all.
package server
