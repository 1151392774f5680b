// Package internal_test holds the direction of imports. The packages form a
// star: directory in the middle, its users around it, cmd/rollcall above.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// anything marks a package that may import every package of ours.
const anything = "*"

// permitted maps each package to the packages of ours that it may import.
var permitted = map[string][]string{
	"bench":               {"internal/tallyfysim"},
	"cmd/rollcall":        {anything},
	"examples/clients/go": {},
	"internal/access":     {"internal/directory", "internal/reload"},
	"internal/api":        {"internal/access", "internal/directory", "internal/payload", "internal/rfc4180"},
	"internal/db":         {"internal/directory", "migrations"},
	"internal/db/dbtest":  {"internal/db", "internal/directory"},
	"internal/directory":  {},
	"internal/doctor":     {"internal/directory"},
	"internal/export":     {"internal/directory", "internal/rfc4180"},
	"internal/payload":    {"internal/directory"},
	"internal/poller":     {"internal/directory", "internal/payload"},
	"internal/query":      {"internal/directory"},
	"internal/promises":   {"internal/access", "internal/api"}, // tests alone
	"internal/reload":     {},
	"internal/rfc4180":    {},
	"internal/tallyfy":    {"internal/directory", "internal/payload"},
	"internal/tallyfysim": {},
	"internal/tlsfiles":   {"internal/reload"},
	"internal/write":      {"internal/directory", "internal/payload"},
	"migrations":          {},
	"internal":            {},
}

// permittedInTests may be imported by any test beside what its package may:
// the real client, the real file and the simulated upstream.
var permittedInTests = []string{
	"internal/db",
	"internal/db/dbtest",
	"internal/directory",
	"internal/export",
	"internal/payload",
	"internal/poller",
	"internal/tallyfy",
	"internal/tallyfysim",
	"internal/write",
	"migrations",
}

// standardOnly names the packages that import nothing but the standard
// library and ours, tests apart.
var standardOnly = []string{"internal/directory", "internal/payload", "internal/tallyfysim", "migrations"}

const module = "rollcall"

func TestImportsFollowTheStar(t *testing.T) {
	for _, file := range goFiles(t, "..") {
		pkg, isTest := path.Dir(file), strings.HasSuffix(file, "_test.go")
		allowed, known := permitted[pkg]
		if !known {
			t.Errorf("%s: package %s is not on the map of permitted imports", file, pkg)
			continue
		}
		for _, imported := range importsOf(t, filepath.Join("..", file)) {
			if isOurs(imported) {
				target := strings.TrimPrefix(imported, module+"/")
				if !mayImport(pkg, allowed, target, isTest) {
					t.Errorf("%s imports %s, which package %s may not", file, imported, pkg)
				}
			} else if !isTest && slices.Contains(standardOnly, pkg) && !isStandard(imported) {
				t.Errorf("%s imports %s, but package %s keeps to the standard library", file, imported, pkg)
			}
		}
	}
}

func mayImport(pkg string, allowed []string, target string, isTest bool) bool {
	if slices.Contains(allowed, anything) || slices.Contains(allowed, target) {
		return true
	}
	return isTest && (target == pkg || slices.Contains(permittedInTests, target))
}

func isOurs(imported string) bool { return strings.HasPrefix(imported, module+"/") }

func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// goFiles lists the Go files below root, with slashes, relative to root.
func goFiles(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != root && skipped(entry.Name()):
			return filepath.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, ".go"):
			rel, err := filepath.Rel(root, name)
			files = append(files, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func skipped(dir string) bool {
	return strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_") || dir == "testdata"
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		paths = append(paths, imported)
	}
	return paths
}
