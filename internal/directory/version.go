package directory

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// VersionOf is the hash of what a caller may change of a group: name,
// description, members and guests. A missing description and an empty one
// are the same. Members are ascending and distinct; guests are distinct and
// ascending under FoldEmail, and their spelling does not count.
func VersionOf(name string, description *string, members []int64, guests []string) string {
	var buf []byte
	text := func(s string) {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	text(name)
	if description != nil {
		text(*description)
	} else {
		text("")
	}
	buf = binary.AppendUvarint(buf, uint64(len(members)))
	for _, id := range members {
		buf = binary.BigEndian.AppendUint64(buf, uint64(id))
	}
	for _, guest := range guests {
		text(FoldEmail(guest))
	}
	sum := sha256.Sum256(buf)
	return hex.EncodeToString(sum[:8])
}
