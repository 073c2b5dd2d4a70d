package catalog

import (
	"regexp"
	"sync"
)

// expression is a regular expression that is compiled when it is first used: a
// process that reads no services file, as most commands of the program are,
// spends nothing on it.
func expression(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
