package ecslocal

import (
	"encoding/json"
	"errors"
	"strings"
)

// execForm reads a command that a Dockerfile writes as a JSON list.
func execForm(text string) ([]string, bool) {
	var words []string
	if !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &words) != nil {
		return nil, false
	}
	return words, true
}

// splitWords splits a command into words as a shell does, without its expansions.
func splitWords(command string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, escaped := false, false
	var quote rune
	for _, r := range command {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
