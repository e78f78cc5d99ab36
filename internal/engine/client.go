package engine

import (
	"strconv"
	"strings"
)

// Client is what a proposer says of itself; rules make allowance for old ones.
type Client struct {
	// Version is the Prefect version from the User-Agent; zero when it says none.
	Version [3]int
	// API is the API version from X-PREFECT-API-VERSION; zero when it says none.
	API [3]int
}

// ParseClient reads the headers User-Agent ("prefect/3.8.8 (API 0.8.4)", or
// leat's own "leat/…") and X-PREFECT-API-VERSION.
func ParseClient(userAgent, apiVersion string) Client {
	var c Client
	if rest, ok := strings.CutPrefix(userAgent, "prefect/"); ok {
		version, _, _ := strings.Cut(rest, " ")
		c.Version = parseVersion(version)
	}
	if strings.HasPrefix(userAgent, "leat/") {
		c.Version = firstToKeepLeases()
	}
	c.API = parseVersion(apiVersion)
	return c
}

// ServerClient is the server itself, which knows all that it can.
func ServerClient() Client { return Client{Version: firstToKeepLeases()} }

func firstToKeepLeases() [3]int { return [3]int{3, 4, 11} }

// KeepsLeases reports whether the client renews the lease of its deployment's slot.
func (c Client) KeepsLeases() bool { return !before(c.Version, firstToKeepLeases()) }

// knowsRetryTypes reports whether the client reads policy.retry_type.
func (c Client) knowsRetryTypes() bool {
	return c.API == [3]int{} || !before(c.API, [3]int{0, 8, 4})
}

func parseVersion(s string) [3]int {
	var v [3]int
	for i, part := range strings.SplitN(s, ".", 3) {
		digits := strings.TrimRight(part, "abcdefghijklmnopqrstuvwxyz+-.")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return v
		}
		v[i] = n
	}
	return v
}

func before(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
