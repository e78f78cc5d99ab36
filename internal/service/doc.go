// Package service holds the background work, one service a file. A service is
// a value whose Run works until its context ends; Tick does one round, so that
// tests need no time to pass.
package service
