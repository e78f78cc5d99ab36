package leat_test

import (
	"path"
	"strings"
)

// module is the prefix of our own import paths.
const module = "github.com/leat-dev/leat/"

// maxLines is the length of file above which a reader is better served by two.
const maxLines = 800

// layers says on which line of ARCHITECTURE.md each package lies. A package
// imports only from lower lines; tests import what they need. A key may be a
// pattern of path.Match. A package without a row fails the test: whoever adds it
// decides here where it belongs.
var layers = map[string]int{
	".": 0, // the root has only this test and documents

	"internal/api/apitest":     1,
	"internal/core":            1,
	"internal/schedule":        1,
	"internal/jsonschema":      1,
	"internal/value":           0,
	"internal/pyrepr":          0,
	"internal/jinja":           1,
	"internal/jsonata":         1,
	"internal/asl":             2,
	"internal/trigger":         2,
	"internal/action":          4,
	"internal/sqlite":          1,
	"internal/store/migration": 1,
	"internal/wire":            2,
	"internal/awscall":         2,
	"internal/integration":     3,

	"internal/docker":            1,
	"internal/docker/dockertest": 2,
	"internal/launch":            2,
	"internal/notify":            2,
	"internal/store":             2,
	"internal/store/storetest":   3,

	"flow":              3,
	"internal/api":      3,
	"internal/client":   3,
	"internal/engine":   3,
	"internal/launch/*": 3,

	"dag":                   4,
	"internal/api/prefect3": 4,
	"internal/api/sfn":      4,
	"internal/drive":        4,
	"internal/ecslocal":     4,
	"internal/importer":     4,
	"internal/service":      4,
	"internal/worker":       4,

	"flow/flowtest":   6,
	"internal/server": 5,
	"internal/cli":    6,

	"bench":             7,
	"cmd/leat":          7,
	"examples/*":        7,
	"test/compat":       7,
	"test/differential": 7,
	"test/ecslocal":     7,
	"test/robust":       7,
}

// restriction names packages, ours or others', that only some of ours import,
// whatever their layer. Tests are free.
type restriction struct {
	target string   // pattern; a target outside the module covers what lies below it
	only   []string // patterns of the packages that may
	why    string
}

var restrictions = []restriction{
	{"internal/store", []string{"internal/server", "internal/store/storetest"}, "the composition alone chooses a database"},
	{"internal/store/storetest", nil, "it is for tests"},
	{"internal/api/apitest", nil, "it is for tests"},
	{"internal/sqlite", []string{"internal/store"}, "how a database is reached belongs to the store"},
	{"internal/store/migration", []string{"internal/store", "internal/store/storetest"}, "a schema belongs to the store"},
	{"internal/docker/dockertest", nil, "it is for tests"},
	{"internal/launch/*", []string{"internal/server", "internal/cli"}, "the others know launchers by the interface in launch"},
	{"internal/api/*", []string{"internal/server"}, "a dialect is a translation at the rim; nothing builds on it"},
	{"database/sql", sqlUsers, noSQL},
	{"modernc.org/sqlite", sqlUsers, noSQL},
	{"github.com/jackc/pgx", sqlUsers, noSQL},
	{"github.com/aws/aws-sdk-go-v2", []string{"internal/awscall"}, "services are called by their models, in one place"},
	{"github.com/spf13/cobra", []string{"internal/cli"}, "commands are the command line's own"},
}

var sqlUsers = []string{"internal/store", "internal/store/*", "internal/sqlite"}

const noSQL = "SQL stays inside internal/store"

// standardOnly lists the packages that import nothing but the standard library.
var standardOnly = []string{"internal/core"}

// pure lists the packages that take all they know as arguments.
var pure = []string{"internal/core", "internal/schedule", "internal/engine", "internal/value", "internal/jinja", "internal/jsonata", "internal/asl"}

// impure lists what a pure package does not import: the ways to the machine, the
// network and the database.
var impure = []string{"database/sql", "net", "net/http", "os", "os/exec", "os/signal", "syscall"}

// light lists the packages that do not reach any of heavy, directly or through
// others: a program that uses the SDK or the client stays small.
var light = []string{"flow", "dag", "internal/client", "internal/worker"}

var heavy = []string{"internal/store", "internal/server", "modernc.org/sqlite", "github.com/jackc/pgx", "database/sql"}

// matches tells whether any of the patterns stands for the import path, which is
// relative to the module if it is ours. An outside path stands for its
// sub-packages too.
func matches(patterns []string, imported string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, imported); ok {
			return true
		}
		if outside(p) && strings.HasPrefix(imported, p+"/") {
			return true
		}
	}
	return false
}

// outside tells whether a path belongs to another module.
func outside(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return strings.Contains(first, ".") && p != "."
}
