package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// AppendKey appends a line that NewKey made to a keys file, which is made, for
// its owner alone, if there is none. It refuses a name that stands in the file
// already, and a file that cannot be used.
func AppendKey(path, line string) (err error) {
	added, err := parseKey(line)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("keys file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err := io.ReadAll(file)
	if err == nil {
		err = lacks(content, added.name)
	}
	if err != nil {
		return fmt.Errorf("keys file %s: %w", path, err)
	}
	if len(content) > 0 && !bytes.HasSuffix(content, []byte("\n")) {
		line = "\n" + line
	}
	if _, err := file.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("keys file: %w", err)
	}
	return file.Sync()
}

// lacks reports, as an error, a key of this name.
func lacks(content []byte, name string) error {
	keys, err := parseKeys(content)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.name == name {
			return fmt.Errorf("a key named %s is in it already: choose another name, or remove its line first", name)
		}
	}
	return nil
}
