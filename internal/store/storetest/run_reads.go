package storetest

import "testing"

func runReads(t *testing.T, open Opener) {}
