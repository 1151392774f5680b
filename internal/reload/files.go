package reload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// maxBytes is the most that is read of one file.
const maxBytes = 1 << 20

func (v *Value[T]) stat() ([]fs.FileInfo, error) {
	infos := make([]fs.FileInfo, len(v.paths))
	for i, path := range v.paths {
		info, err := os.Stat(path)
		if err == nil && !info.Mode().IsRegular() {
			err = errors.New("it is no regular file, so it could not be read again")
		}
		if err != nil {
			return nil, v.failed(path, err)
		}
		infos[i] = info
	}
	return infos, nil
}

func (v *Value[T]) sameAsSeen(infos []fs.FileInfo) bool {
	if v.seen == nil {
		return false
	}
	for i, now := range infos {
		before := v.seen[i]
		if !os.SameFile(before, now) || before.Size() != now.Size() || !before.ModTime().Equal(now.ModTime()) {
			return false
		}
	}
	return true
}

// settled reports whether a later change would show in every file's time.
func settled(infos []fs.FileInfo) bool {
	for _, info := range infos {
		if time.Since(info.ModTime()) < settledAfter {
			return false
		}
	}
	return true
}

func (v *Value[T]) read() ([][]byte, error) {
	contents := make([][]byte, len(v.paths))
	for i, path := range v.paths {
		content, err := readFile(path)
		if err != nil {
			return nil, v.failed(path, err)
		}
		contents[i] = content
	}
	return contents, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err == nil && len(content) > maxBytes {
		err = fmt.Errorf("it holds more than %d bytes", maxBytes)
	}
	return content, err
}
