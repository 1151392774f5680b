package access

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// add makes a key and appends it.
func add(path, name string, scopes Scopes) (secret string, err error) {
	secret, line, err := NewKey(name, scopes)
	if err == nil {
		err = AppendKey(path, line)
	}
	return secret, err
}

func TestAddedKeysAreAdmitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	app, err := add(path, "app", ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Error(info.Mode(), err)
	}
	other, err := add(path, "other", ScopeWrite|ScopeAdmin)
	if err != nil {
		t.Fatal(err)
	}
	keys := openKeys(t, path)
	for secret, want := range map[string]string{app: "app read", other: "other write,admin"} {
		k, found := keys.find(secret)
		if !found || k.name+" "+k.scopes.String() != want {
			t.Errorf("found %t, %s", found, k)
		}
	}
	if content, err := os.ReadFile(path); err != nil || strings.Contains(string(content), app) {
		t.Error("the file holds the key itself", err)
	}
}

func TestAKeyIsAddedOnALineOfItsOwn(t *testing.T) {
	_, line, err := NewKey("first", ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, filepath.Join(t.TempDir(), "keys"), "# ours\n"+line) // as editors leave it that end no line
	if _, err := add(path, "second", ScopeRead); err != nil {
		t.Fatal(err)
	}
	if n := openKeys(t, path).Len(); n != 2 {
		t.Errorf("the file holds %d keys", n)
	}
}

func TestAKeyIsNotAdded(t *testing.T) {
	_, line, err := NewKey("app", ScopeRead)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ before, key, says string }{
		"under a name that is taken": {line + "\n", "app", "app is in it already"},
		"to a broken file":           {"app read\n", "new", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "keys"), c.before)
			if _, err := add(path, c.key, ScopeRead); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != c.before {
				t.Errorf("the file is %q now, %v", after, err)
			}
		})
	}
	if _, err := add(t.TempDir(), "app", ScopeRead); err == nil {
		t.Error("a key was added to a folder")
	}
}
