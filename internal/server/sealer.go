package server

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/leat-dev/leat/internal/engine"
)

// sealer returns what seals secrets: with the key of the settings, or with one
// that is kept in a file in Home, made at the first start.
func sealer(cfg Config) (engine.Sealer, error) {
	if cfg.EncryptionKey != "" {
		key, err := base64.StdEncoding.DecodeString(cfg.EncryptionKey)
		if err != nil || len(key) != engine.KeySize {
			return nil, fmt.Errorf("encryption-key is not %d bytes in base64; make one with `openssl rand -base64 %d`", engine.KeySize, engine.KeySize)
		}
		return engine.NewSealer(key)
	}
	file := filepath.Join(cfg.Home, "secret.key")
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, engine.KeySize)
		if _, err := rand.Read(key); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(cfg.Home, 0o700); err != nil {
			return nil, err
		}
		err = os.WriteFile(file, key, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("key that seals secrets: %w", err)
	}
	if len(key) != engine.KeySize {
		return nil, fmt.Errorf("%s does not hold a key of %d bytes; restore it from a backup, or remove it and lose the stored secrets", file, engine.KeySize)
	}
	return engine.NewSealer(key)
}
