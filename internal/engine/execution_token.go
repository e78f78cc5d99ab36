package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/leat-dev/leat/internal/core"
)

// tokenSize is 16 bytes of the run, 8 of the action, 16 that prove who made it.
const tokenSize = 40

// taskToken is the task token of an execution's action. It is made of the
// execution's secret, so that nobody makes one who was not given it.
func taskToken(row *core.Execution, key int64) string {
	b := make([]byte, 0, tokenSize)
	b = append(b, row.RunID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(key))
	return base64.StdEncoding.EncodeToString(append(b, tokenProof(row.Seed, b)...))
}

func tokenProof(seed int64, b []byte) []byte {
	mac := hmac.New(sha256.New, binary.BigEndian.AppendUint64(nil, uint64(seed)))
	mac.Write(b)
	return mac.Sum(nil)[:tokenSize-24]
}

// readToken takes a token apart; the proof is checked against the execution.
func readToken(token string) (runID core.ID, key int64, raw []byte, ok bool) {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenSize {
		return runID, 0, nil, false
	}
	copy(runID[:], raw)
	return runID, int64(binary.BigEndian.Uint64(raw[16:])), raw, true
}

func provesToken(row *core.Execution, raw []byte) bool {
	return hmac.Equal(raw[24:], tokenProof(row.Seed, raw[:24]))
}
