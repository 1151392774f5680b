package export

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"

	"rollcall/internal/directory"
)

// A veil says what becomes of a column's values where pseudonyms are wanted.
type veil int

// The veils. A stand-in depends on the key and on what it stands for alone:
// it is the same in every table, at every revision. It names nobody without
// the key.
const (
	plain    veil = iota // stays
	people               // member ids: a positive number below 2^53
	emails               // an address below pseudonym.invalid, whatever the case
	names                // "name-" and hex digits
	hashes               // hex digits: what could be computed from a guess
	actors               // of a change: a user's id, or the name of a key
	freeText             // left out: null
)

// stand-ins that are remembered, so that a name that comes often costs little
const mostStandIns = 1 << 15

// A key makes pseudonyms. It is not safe for concurrent use.
type key struct {
	mac   hash.Hash
	known map[standIn]value
}

type standIn struct {
	veil   veil
	text   string
	number int64
}

func newKey(secret []byte) *key {
	return &key{mac: hmac.New(sha256.New, secret), known: map[standIn]value{}}
}

// disguise replaces a value as its column wants it.
func (k *key) disguise(v value, as veil) value {
	switch {
	case as == plain || v.isNull:
		return v
	case as == freeText:
		return value{isNull: true}
	case as == emails:
		v.text = directory.FoldEmail(v.text)
	}
	input := standIn{as, v.text, v.number}
	if out, isKnown := k.known[input]; isKnown {
		return out
	}
	if len(k.known) >= mostStandIns {
		clear(k.known)
	}
	input.text = strings.Clone(input.text)
	out := k.make(v, as)
	k.known[input] = out
	return out
}

func (k *key) make(v value, as veil) value {
	switch as {
	case people:
		return value{number: k.person(v.number)}
	case emails:
		return value{text: k.hex("email", v.text, 12) + "@pseudonym.invalid"}
	case names:
		return value{text: "name-" + k.hex("name", v.text, 8)}
	case actors:
		return value{text: "actor-" + k.hex("actor", v.text, 8)}
	}
	return value{text: k.hex("hash", v.text, 8)}
}

// person is a number that JSON and spreadsheets hold exactly, never 0.
func (k *key) person(id int64) int64 {
	var input [8]byte
	binary.BigEndian.PutUint64(input[:], uint64(id))
	sum := k.sum("member", input[:])
	return int64(binary.BigEndian.Uint64(sum)>>11) | 1<<52
}

func (k *key) hex(of, input string, bytes int) string {
	return hex.EncodeToString(k.sum(of, []byte(input))[:bytes])
}

// sum keeps what the inputs are apart by a prefix.
func (k *key) sum(of string, input []byte) []byte {
	k.mac.Reset()
	k.mac.Write([]byte(of))
	k.mac.Write([]byte{0})
	k.mac.Write(input)
	return k.mac.Sum(nil)
}
