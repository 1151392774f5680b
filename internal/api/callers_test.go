package api

import (
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/access"
	"rollcall/internal/tallyfy"
	"rollcall/internal/tallyfysim"
)

// A keyring are keys of a file, by the names of their owners.
type keyring map[string]string

// newKeyring has a key for each scope, named like it, and one for all.
func newKeyring(t *testing.T) (keyring, *access.Keys) {
	t.Helper()
	ring, path := keyring{}, filepath.Join(t.TempDir(), "keys")
	var lines strings.Builder
	for name, scopes := range map[string]access.Scopes{
		"read": access.ScopeRead, "write": access.ScopeWrite, "admin": access.ScopeAdmin,
		"all": access.ScopeRead | access.ScopeWrite | access.ScopeAdmin,
	} {
		secret, line, err := access.NewKey(name, scopes)
		if err != nil {
			t.Fatal(err)
		}
		ring[name] = secret
		lines.WriteString(line + "\n")
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := access.OpenKeys(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return ring, keys
}

// of is the header of who shows a key.
func (r keyring) of(name string) []string { return []string{"Authorization", "Bearer " + r[name]} }

// newKeyed is a world of people that asks for keys.
func newKeyed(t *testing.T) (*world, keyring) {
	t.Helper()
	ring, keys := newKeyring(t)
	return newPeople(t, withKeys(t, keys)), ring
}

// withKeys asks for keys.
func withKeys(t *testing.T, keys *access.Keys) func(*Options) {
	t.Helper()
	a := newAccess(t, access.Options{Mode: access.ModeKeys, Keys: keys})
	return func(o *Options) { o.Access = a }
}

func newAccess(t testing.TB, o access.Options) *access.Access {
	t.Helper()
	a, err := access.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newTokened is a replica that has callers show their Tallyfy token.
func newTokened(t *testing.T, sim *tallyfysim.Sim, change ...func(*Options)) *replica {
	t.Helper()
	return newReplica(t, sim, append(change, func(o *Options) {
		grants, err := access.NewGrants(access.GrantsOptions{Prober: o.Upstream.(*tallyfy.Client).Prober()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(grants.Close)
		o.Access = newAccess(t, access.Options{Mode: access.ModeTallyfy, Grants: grants})
	})...)
}

// newToken is one of somebody who is no administrator.
func newToken(t *testing.T, sim *tallyfysim.Sim) string {
	t.Helper()
	for _, u := range sim.Users() {
		if u.Role == tallyfysim.RoleStandard && u.Status == tallyfysim.StatusActive && !u.Bot {
			token := rand.Text()
			sim.AddToken(token, u.ID)
			return token
		}
	}
	t.Fatal("nobody is standard")
	return ""
}
