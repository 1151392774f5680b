//go:build race

package promises_test

// The race detector watches the tests, not the program that is killed, and
// makes each look at a file take ten times as long.
const crashesDefault = 60
