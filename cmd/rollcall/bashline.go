package main

import (
	"strconv"
	"strings"
)

// A bashLine is a command line up to the cursor, as bash has it when it asks for
// completion: with quotes and backslashes as they were typed.
type bashLine struct {
	words  []string // behind the program's name, without quotes; the last is to be completed
	quote  byte     // that is open in the last word, or 0
	stands int      // how many bytes of the last word bash leaves as they are
}

// newBashLine splits a line as bash would. breaks is $COMP_WORDBREAKS: bash
// replaces no more of the last word than what follows such a sign or a quote.
func newBashLine(cursor, breaks, line string) *bashLine {
	if at, err := strconv.Atoi(cursor); err == nil && at >= 0 && at < len(line) {
		line = line[:at]
	}
	l := &bashLine{}
	var word []byte
	within := false // a word
	for i := 0; i < len(line); i++ {
		sign := line[i]
		switch {
		case l.escapes(line[i:]):
			i++
			word, within = append(word, line[i]), true
		case sign == l.quote:
			l.quote, l.stands = 0, len(word)
		case l.quote == 0 && (sign == '\'' || sign == '"'):
			l.quote, l.stands, within = sign, len(word), true
		case l.quote == 0 && (sign == ' ' || sign == '\t'):
			if within {
				l.words = append(l.words, string(word))
			}
			word, l.stands, within = nil, 0, false
		default:
			word, within = append(word, sign), true
			if l.quote == 0 && strings.IndexByte(breaks, sign) >= 0 {
				l.stands = len(word)
			}
			if l.stands == len(word) && (sign == '@' || sign == '$') {
				l.stands-- // bash takes these two along, for hosts and variables
			}
		}
	}
	l.words = append(l.words, string(word))[1:]
	return l
}

// escapes reports whether a text begins with a backslash that takes its meaning
// from the next sign.
func (l *bashLine) escapes(text string) bool {
	if len(text) < 2 || text[0] != '\\' {
		return false
	}
	return l.quote == 0 || l.quote == '"' && strings.IndexByte("\"\\$`", text[1]) >= 0
}

// worded is a candidate for the last word as bash is to insert it: without what
// stands already, quoted as the word was begun.
func (l *bashLine) worded(candidate string) string {
	var b strings.Builder
	for _, sign := range []byte(candidate[l.stands:]) {
		switch {
		case l.quote == '\'' && sign == '\'':
			b.WriteString(`'\'`)
		case l.quote == '"' && strings.IndexByte("\"\\$`", sign) >= 0, l.quote == 0 && isSpecial(sign):
			b.WriteByte('\\')
		}
		b.WriteByte(sign)
	}
	return b.String()
}

// isSpecial reports whether a sign may mean something to a shell.
func isSpecial(sign byte) bool {
	isWord := 'a' <= sign && sign <= 'z' || 'A' <= sign && sign <= 'Z' || '0' <= sign && sign <= '9' || sign >= 0x80
	return !isWord && strings.IndexByte("_./:=@%+,-", sign) < 0
}
