// Package client holds the wire types of the Prefect REST dialect, which the
// server and our own clients share, and a typed HTTP client for them.
package client
