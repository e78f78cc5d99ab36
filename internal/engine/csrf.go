package engine

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// CSRFToken is what a client shows with each request that changes something, so
// that a page of another origin cannot ask in its name.
type CSRFToken struct {
	ID      core.ID
	Token   string
	Client  string
	Created time.Time
	Expires time.Time
}

// csrfKeySetting names the setting that holds the key of the tokens, so that all
// replicas know each other's.
const csrfKeySetting = "csrf_key"

// csrfLength is the number of bytes of a token: eight of its end, the rest prove it.
const csrfLength = 32

// IssueCSRFToken makes a token for the client. It is not stored: it holds its end
// and the proof that this server made it. Prefect REST: GET /csrf-token.
func (e *Engine) IssueCSRFToken(ctx context.Context, ws core.WorkspaceID, client string, lifetime time.Duration) (CSRFToken, error) {
	key := ""
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		if key, err = tx.Setting(csrfKeySetting); err != nil || key != "" {
			return err
		}
		key = rand.Text()
		return tx.SetSetting(csrfKeySetting, key)
	})
	if err != nil {
		return CSRFToken{}, err
	}
	now := e.now()
	out := CSRFToken{Client: client, Created: now, Expires: now.Add(lifetime).Truncate(time.Microsecond)}
	out.Token = hex.EncodeToString(csrfToken(key, client, out.Expires))
	sum := sha256.Sum256([]byte(client))
	copy(out.ID[:], sum[:])
	return out, nil
}

// CheckCSRFToken reports whether the token was made for the client and has not ended.
func (e *Engine) CheckCSRFToken(ctx context.Context, ws core.WorkspaceID, client, token string) (bool, error) {
	given, err := hex.DecodeString(token)
	if err != nil || len(given) != csrfLength {
		return false, nil //nolint:nilerr // what is no token is a wrong one
	}
	ends := time.UnixMicro(int64(binary.BigEndian.Uint64(given)))
	if !e.now().Before(ends) {
		return false, nil
	}
	key := ""
	err = e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		key, err = tx.Setting(csrfKeySetting)
		return err
	})
	return err == nil && key != "" && hmac.Equal(given, csrfToken(key, client, ends)), err
}

// csrfToken makes the bytes of a token.
func csrfToken(key, client string, ends time.Time) []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(ends.UnixMicro()))
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(out)
	mac.Write([]byte(client))
	return append(out, mac.Sum(nil)[:csrfLength-len(out)]...)
}
