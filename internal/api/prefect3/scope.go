package prefect3

import (
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// withoutScope is a path of Prefect Cloud's shape without the account and the
// workspace that it names, as clients write them that were given both, such as
// Terraform's: /api/accounts/{id}/workspaces/{id}/flows/ is /api/flows/. All is
// the default workspace's until others can be made, whatever the ids.
func withoutScope(path string) string {
	rest, ok := strings.CutPrefix(path, "/api/accounts/")
	if !ok {
		return path
	}
	account, rest, ok := strings.Cut(rest, "/workspaces/")
	if !ok || !isID(account) {
		return path
	}
	workspace, rest, ok := strings.Cut(rest, "/")
	if !ok || !isID(workspace) {
		return path
	}
	return "/api/" + rest
}

func isID(text string) bool {
	_, err := core.ParseID(text)
	return err == nil
}
