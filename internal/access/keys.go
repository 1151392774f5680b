package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"

	"rollcall/internal/reload"
)

// Keys are those of a keys file. They are safe for concurrent use.
type Keys struct {
	file *reload.Value[[]key]
}

// OpenKeys reads a keys file. Later changes of it are taken up by the first
// request a second after them, at the latest; while it is missing or broken,
// the old keys stay and the logger is told once. A file without keys admits
// nobody.
func OpenKeys(path string, log *slog.Logger) (*Keys, error) {
	parse := func(contents [][]byte) ([]key, error) { return parseKeys(contents[0]) }
	file, err := reload.New("keys file", []string{path}, parse, log)
	if err != nil {
		return nil, err
	}
	return &Keys{file}, nil
}

// Reload reads the file now. With an error, the old keys stay.
func (k *Keys) Reload() error { return k.file.Reload() }

// Len returns how many keys there are.
func (k *Keys) Len() int { return len(k.file.Get()) }

// find compares with every key, however early one matches, in constant time.
func (k *Keys) find(secret string) (key, bool) {
	keys := k.file.Get()
	hash := sha256.Sum256([]byte(secret))
	found := -1
	for i := range keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], keys[i].hash[:]), i, found)
	}
	if found < 0 {
		return key{}, false
	}
	return keys[found], true
}

// keyPrefix lets people and secret scanners tell what a key is for:
// rollcall_[A-Z2-7]{52}.
const keyPrefix = "rollcall_"

// NewKey makes a key of 256 random bits or more, and the line that admits it
// when it stands in a keys file. The key is shown to its owner once and kept
// nowhere.
func NewKey(name string, scopes Scopes) (secret, line string, err error) {
	if err := checkName(name); err != nil {
		return "", "", err
	}
	if scopes == 0 || scopes&^(ScopeRead|ScopeWrite|ScopeAdmin) != 0 {
		return "", "", errors.New("a key needs a scope: read, write or admin")
	}
	secret = keyPrefix + rand.Text() + rand.Text() // 130 bits each
	k := key{name: name, scopes: scopes, hash: sha256.Sum256([]byte(secret))}
	return secret, k.String(), nil
}
