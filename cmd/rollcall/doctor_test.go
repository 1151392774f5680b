package main

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"rollcall/internal/doctor"
)

func TestDoctorPrintsAVerdictOnEachAssumption(t *testing.T) {
	_, env := organization(t)
	env["ROLLCALL_UPSTREAM_RATE"] = "0"
	code, out, stderr := invoke(t, env, "doctor")
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	for _, part := range []string{" contradicted\n", " not visible\n", " confirmed\n", "  token-works", "so: "} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
	code, out, _ = invoke(t, env, "doctor", "--json")
	var report doctor.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitOK {
		t.Fatalf("exit code %d, %v", code, err)
	}
	if len(report.Findings) < 50 || report.Requests > doctor.MaxRequests {
		t.Errorf("%d findings after %d requests", len(report.Findings), report.Requests)
	}
}

func TestDoctorExitsWith1WhenNoMirrorCanBeKept(t *testing.T) {
	_, env := organization(t)
	env = maps.Clone(env)
	env[tokenVar] = "of-nobody"
	code, out, _ := invoke(t, env, "doctor")
	if code != exitFailure || !strings.Contains(out, "! token-works") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestDoctorWithoutATokenIsAnErrorOfUsage(t *testing.T) {
	if code, _, stderr := invoke(t, map[string]string{"TALLYFY_ORG_ID": "o"}, "doctor"); code != exitUsage || !strings.Contains(stderr, tokenVar) {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}
