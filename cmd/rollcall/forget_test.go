package main

import (
	"strings"
	"testing"
)

func TestForgetSaysWhatWasErased(t *testing.T) {
	const clean = `{"data":{"member_ids":[4,5],"guests":1,"versions":3,"copies":0,"clean":true},"revision":8}`
	server := canned(t, map[string]string{
		"/v1/members/a%2Fb@x.test/forget": clean,
		"/v1/members/7/forget":            strings.Replace(clean, "true", "false", 1),
	})
	code, out, _ := invoke(t, nil, "forget", "a/b@x.test", "--server", server)
	if code != exitOK || out != "forgotten: past rows 3, members 2, guests 1, revision 8\n" {
		t.Errorf("exit %d, %q", code, out)
	}
	if code, out, _ := invoke(t, nil, "forget", "a/b@x.test", "--server", server, "-o", "json"); code != exitOK || out != clean+"\n" {
		t.Errorf("as JSON: exit %d, %q", code, out)
	}
	if code, out, _ := invoke(t, nil, "forget", "7", "--server", server); code != exitOK || !strings.Contains(out, "forget once more") {
		t.Errorf("with traces left: exit %d, %q", code, out)
	}
	if code, _, stderr := invoke(t, nil, "forget", "nobody", "--server", server); code != exitFailure || !strings.Contains(stderr, "nobody is called that") {
		t.Errorf("of nobody: exit %d, %q", code, stderr)
	}
}
