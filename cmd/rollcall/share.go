package main

import (
	"errors"
	"strconv"
	"strings"
)

// A share is a part of a whole, written as percentage.
type share float64

var errShare = errors.New("is not a percentage above 0% and up to 100%, give one such as 70%")

// UnmarshalText reads a percentage.
func (s *share) UnmarshalText(text []byte) error {
	digits, isPercentage := strings.CutSuffix(string(text), "%")
	percent, err := strconv.ParseFloat(digits, 64)
	if !isPercentage || err != nil || !(percent > 0 && percent <= 100) {
		return errShare
	}
	*s = share(percent / 100)
	return nil
}

// String is what UnmarshalText reads.
func (s share) String() string { return strconv.FormatFloat(float64(s)*100, 'g', 6, 64) + "%" }
