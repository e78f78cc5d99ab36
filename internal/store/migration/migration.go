// Package migration embeds the numbered, forward-only schema changes of both
// databases. Applied files never change.
package migration

import "embed"

// Files holds sqlite/NNNN_name.sql and postgres/NNNN_name.sql; a number names
// the same change in both.
//
//go:embed sqlite/*.sql postgres/*.sql
var Files embed.FS
