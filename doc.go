// Package leat is the root of the module. It holds no code: the program is
// cmd/leat, ARCHITECTURE.md shows how the packages lie upon each other, and
// policy_test.go keeps them so.
package leat
