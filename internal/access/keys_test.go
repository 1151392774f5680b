package access

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newKey(t *testing.T, name string, scopes Scopes) (secret, line string) {
	t.Helper()
	secret, line, err := NewKey(name, scopes)
	if err != nil {
		t.Fatal(err)
	}
	return secret, line
}

func TestANewKeyIsAdmittedByItsLine(t *testing.T) {
	secret, line := newKey(t, "reports", ScopeRead|ScopeWrite)
	_, other := newKey(t, "other", ScopeAdmin)
	keys := openKeys(t, writeFile(t, filepath.Join(t.TempDir(), "keys"), other+"\n"+line+"\n"))
	k, found := keys.find(secret)
	if !found || k.name != "reports" || k.scopes != ScopeRead|ScopeWrite {
		t.Errorf("find = %v, %t", k, found)
	}
	for _, wrong := range []string{"", secret[1:], secret + "A", strings.ToLower(secret), line, strings.Fields(line)[2]} {
		if _, found := keys.find(wrong); found {
			t.Errorf("%q is taken for the key", wrong)
		}
	}
}

func TestANewKeyHas256BitsAndItsLineDoesNotHoldIt(t *testing.T) {
	form := regexp.MustCompile(`^rollcall_[A-Z2-7]{52}$`) // 5 bits a sign
	seen := map[string]bool{}
	for range 100 {
		secret, line := newKey(t, "a", ScopeRead)
		if !form.MatchString(secret) || seen[secret] {
			t.Errorf("key %q", secret)
		}
		if strings.Contains(line, secret[len(keyPrefix):]) {
			t.Errorf("the line holds the key: %s", line)
		}
		seen[secret] = true
	}
}

func TestNewKeyRefusesWhatTheFileWouldNotTake(t *testing.T) {
	for _, name := range []string{"", "two words", "#comment", "line\nbreak", "naïve", strings.Repeat("a", maxNameBytes+1)} {
		if _, _, err := NewKey(name, ScopeRead); err == nil {
			t.Errorf("a key was made for the name %q", name)
		}
	}
	for _, scopes := range []Scopes{0, 8, 255} {
		if _, _, err := NewKey("a", scopes); err == nil {
			t.Errorf("a key was made for the scopes %d", scopes)
		}
	}
}

func TestARevokedKeyIsRefusedWithinASecondAndANewOneAdmitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	synctest.Test(t, func(t *testing.T) {
		old, oldLine := newKey(t, "app", ScopeRead)
		next, nextLine := newKey(t, "app", ScopeRead)
		keys := openKeys(t, writeFile(t, path, oldLine+"\n"))

		writeFile(t, path, oldLine+"\n"+nextLine+"\n") // both, while clients change over
		time.Sleep(time.Second)
		for _, secret := range []string{old, next} {
			if _, found := keys.find(secret); !found {
				t.Error("a key of the file is refused")
			}
		}
		writeFile(t, path, nextLine+"\n")
		time.Sleep(time.Second)
		if _, found := keys.find(old); found {
			t.Error("a revoked key is still admitted")
		}
		writeFile(t, path, "# nobody\n")
		if err := keys.Reload(); err != nil || keys.Len() != 0 {
			t.Errorf("Reload: %v, %d keys are left", err, keys.Len())
		}
	})
}

func TestABrokenKeysFileKeepsTheOldKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	synctest.Test(t, func(t *testing.T) {
		secret, line := newKey(t, "app", ScopeRead)
		keys := openKeys(t, writeFile(t, path, line+"\n"))
		writeFile(t, path, line[:len(line)-1])
		time.Sleep(time.Second)
		if _, found := keys.find(secret); !found {
			t.Error("the key is refused while its file is half written")
		}
		if err := keys.Reload(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("Reload: error %v, want one that names file and line", err)
		}
	})
}
