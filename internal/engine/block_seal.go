package engine

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/leat-dev/leat/internal/core"
)

// Sealer encrypts what must not lie readable in the database. The subject binds
// sealed data to where it belongs: opened for another one it is refused.
type Sealer interface {
	Seal(plain, subject []byte) ([]byte, error)
	Open(sealed, subject []byte) ([]byte, error)
}

// KeySize is the length in bytes of a Sealer's key.
const KeySize = 32

// gcm is a Sealer by AES-256-GCM; sealed data begins with its nonce.
type gcm struct{ aead cipher.AEAD }

// NewSealer returns a Sealer that uses AES-256-GCM with the key of KeySize bytes.
func NewSealer(key []byte) (Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the encryption key has %d bytes, not %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return gcm{aead}, err
}

// Seal implements Sealer.
func (g gcm) Seal(plain, subject []byte) ([]byte, error) {
	nonce := make([]byte, g.aead.NonceSize(), g.aead.NonceSize()+len(plain)+g.aead.Overhead())
	// crypto/rand.Read never fails on supported platforms; it ends the program instead.
	_, _ = rand.Read(nonce)
	return g.aead.Seal(nonce, nonce, plain, subject), nil
}

// Open implements Sealer.
func (g gcm) Open(sealed, subject []byte) ([]byte, error) {
	n := g.aead.NonceSize()
	if len(sealed) < n {
		return nil, fmt.Errorf("sealed data of %d bytes", len(sealed))
	}
	return g.aead.Open(nil, sealed[:n], sealed[n:], subject)
}

// errNoKey refuses to store secrets readably.
func errNoKey() error {
	return core.Errorf(core.Unavailable, "the server has no encryption key, so it cannot keep block documents")
}

func (e *Engine) sealDocument(d *core.BlockDocument, data json.RawMessage) error {
	if e.sealer == nil {
		return errNoKey()
	}
	var err error
	d.Sealed, err = e.sealer.Seal(data, d.ID[:])
	return err
}

func (e *Engine) openDocument(d *core.BlockDocument) (json.RawMessage, error) {
	if e.sealer == nil {
		return nil, errNoKey()
	}
	data, err := e.sealer.Open(d.Sealed, d.ID[:])
	if err != nil {
		return nil, fmt.Errorf("block document %s was encrypted with another key: %w", d.ID, err)
	}
	return data, nil
}
