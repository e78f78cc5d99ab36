package wire

import (
	"fmt"
	"strings"
)

// longestUUID is the length of a UUID in its longest form, with urn:uuid:.
const longestUUID = 45

// uuidFault says in pydantic's words why a string is no UUID.
func uuidFault(s string) string {
	if len(s) > longestUUID {
		return fmt.Sprintf("invalid length: found %d", len(s))
	}
	inner, offset := s, 0
	switch {
	case strings.HasPrefix(s, "urn:uuid:"):
		inner, offset = s[len("urn:uuid:"):], len("urn:uuid:")
	case strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") && len(s) > 1:
		inner, offset = s[1:len(s)-1], 1
	}
	wrapped := offset > 0
	for at, c := range inner {
		if c != '-' && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return fmt.Sprintf("invalid character: found `%c` at %d", c, at+offset)
		}
	}
	groups := strings.Split(inner, "-")
	if len(groups) == 1 && !wrapped {
		return fmt.Sprintf("invalid length: found %d", len(inner))
	}
	if len(groups) != 5 {
		return fmt.Sprintf("invalid group count: expected 5, found %d", len(groups))
	}
	for k, want := range []int{8, 4, 4, 4, 12} {
		if len(groups[k]) != want {
			return fmt.Sprintf("invalid group length in group %d: expected %d, found %d", k, want, len(groups[k]))
		}
	}
	return fmt.Sprintf("invalid length: found %d", len(inner))
}
