package db_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain has -short take a tenth of the large organisation: benchmarks are
// seen to run, not measured. It removes what they share.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		benchGroups, benchMembers, benchEdges = benchGroups/10, benchMembers/10, benchEdges/10
	}
	code := m.Run()
	_ = os.RemoveAll(largeFolder)
	os.Exit(code)
}
