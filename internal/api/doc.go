// Package api holds what the HTTP dialects share: handlers that are functions
// from an input to an output, routing as the clients know it, middleware and
// websockets. It knows no dialect: each brings a Dialect that words its errors.
package api
