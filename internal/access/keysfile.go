package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A key is one line of a keys file: the key itself is not kept anywhere.
type key struct {
	name   string
	scopes Scopes
	hash   [sha256.Size]byte
}

const (
	maxKeys      = 10_000
	maxNameBytes = 64

	byteOrderMark = "\xef\xbb\xbf" // some editors begin a file with it
)

// parseKeys reads lines of `name scope[,scope] sha256-hex`. Blank lines and
// those that begin with # mean nothing. Two keys may bear one name, so that
// one can take over from the other. Errors name the line and repeat nothing of
// it, as somebody may have put a key there.
func parseKeys(content []byte) ([]key, error) {
	var keys []key
	lines := map[[sha256.Size]byte]int{}
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(content), byteOrderMark)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if before, twice := lines[k.hash]; twice {
			return nil, fmt.Errorf("line %d: the key of line %d stands here again: remove one", n, before)
		}
		if len(keys) == maxKeys {
			return nil, fmt.Errorf("line %d: there are more than %d keys", n, maxKeys)
		}
		lines[k.hash] = n
		keys = append(keys, k)
	}
	return keys, nil
}

func parseKey(line string) (key, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return key{}, fmt.Errorf("it has %d fields: it takes a name, scopes and the SHA-256 of the key, as `rollcall keys new` prints them", len(fields))
	}
	if err := checkName(fields[0]); err != nil {
		return key{}, err
	}
	scopes, err := ParseScopes(fields[1])
	if err != nil {
		return key{}, err
	}
	k := key{name: fields[0], scopes: scopes}
	if len(fields[2]) != hex.EncodedLen(len(k.hash)) {
		return key{}, errNoHash
	}
	if _, err := hex.Decode(k.hash[:], []byte(fields[2])); err != nil {
		return key{}, errNoHash
	}
	return k, nil
}

var errNoHash = errors.New("the last field is no SHA-256 in 64 hex digits, as `rollcall keys new` prints it (never put the key itself here)")

// checkName keeps names fit for logs and for the feed.
func checkName(name string) error {
	if name == "" || len(name) > maxNameBytes || strings.ContainsFunc(name, notInName) {
		return fmt.Errorf("the name is not made of 1 to %d ASCII letters, digits and . _ @ + -", maxNameBytes)
	}
	return nil
}

func notInName(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("._@+-", r)
}

// String returns the line of the file.
func (k key) String() string { return fmt.Sprintf("%s %s %x", k.name, k.scopes, k.hash) }
