package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

var hash = strings.Repeat("0a", 32)

func TestKeysFileMayHoldCommentsBlankLinesAndForeignLineEnds(t *testing.T) {
	other := strings.Repeat("0B", 32)
	keys, err := parseKeys([]byte("\xef\xbb\xbf# made by hand\r\n\r\n  app\tread,write   " + hash + "\r\n   # more\nops.team@x admin " + other))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"app read,write " + hash, "ops.team@x admin " + strings.ToLower(other)}
	if got := strings.Split(fmt.Sprintf("%s\n%s", keys[0], keys[1]), "\n"); len(keys) != 2 || !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestABrokenKeysFileNamesItsLineAndQuotesNothing(t *testing.T) {
	const secret = "rollcall_HIDDEN"
	first := strings.Repeat("1f", 32)
	for name, line := range map[string]string{
		"the key alone":        secret,
		"the key for a hash":   "app read " + secret,
		"the key for a scope":  "app " + secret + " " + hash,
		"the key for a name":   "{" + secret + "} read " + hash,
		"a name without scope": secret + " " + hash,
		"the key at the end":   "app read " + hash + " " + secret,
		"an empty scope":       "app read, " + hash,
		"another case":         "app Read " + hash,
		"a long name":          strings.Repeat("HIDDEN", 20) + " read " + hash,
		"a short hash":         "app read " + hash[2:],
		"a long hash":          "app read " + hash + "00",
		"no hex":               "app read " + strings.Repeat("xy", 32),
		"a key twice over":     "app read " + strings.ToUpper(first),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseKeys([]byte("# comment\nfirst read " + first + "\n\n" + line + "\n"))
			if err == nil || !strings.HasPrefix(err.Error(), "line 4: ") {
				t.Fatalf("error %v, want one that names line 4", err)
			}
			if strings.Contains(err.Error(), "HIDDEN") || strings.Contains(err.Error(), hash) || strings.Contains(err.Error(), first) {
				t.Errorf("the error quotes the line: %v", err)
			}
		})
	}
}

func TestTooManyKeysAreRefused(t *testing.T) {
	var file strings.Builder
	for n := range maxKeys + 1 {
		fmt.Fprintf(&file, "app read %064x\n", n)
	}
	if _, err := parseKeys([]byte(file.String())); err == nil || !strings.Contains(err.Error(), fmt.Sprint("line ", maxKeys+1)) {
		t.Errorf("error %v, want one that names the line", err)
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add("# comment\napp read ", " "+hash+"\n")
	f.Add("app ", "\nother read,write,admin "+hash)
	f.Add("\xef\xbb\xbf\r\n", ",read "+hash)
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "S3CRETS3CRET"
		keys, err := parseKeys([]byte(before + secret + after))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") || strings.Contains(err.Error(), secret) {
				t.Errorf("the error names no line, or holds the secret: %v", err)
			}
			return
		}
		var lines strings.Builder
		for _, k := range keys {
			lines.WriteString(k.String() + "\n")
		}
		again, err := parseKeys([]byte(lines.String()))
		if err != nil || !slices.Equal(keys, again) {
			t.Errorf("printed and read again, the keys are %v (%v), before they were %v", again, err, keys)
		}
	})
}
