//go:build !race

package promises_test

const crashesDefault = 200
