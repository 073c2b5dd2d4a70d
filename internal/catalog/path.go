package catalog

import (
	"strings"
)

const (
	maxPath     = 512 // bytes
	pathTooLong = "is longer than 512 bytes"
)

var pathBytes = expression(`^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$`)

// pathFault says what keeps a path from being a prefix that calls can match.
func pathFault(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "must begin with '/'"
	case !strings.HasSuffix(path, "/") && !strings.HasSuffix(path, ":"):
		return "must end with '/' or ':'"
	}
	return bytesFault(path)
}

// bytesFault says what keeps a path from being read in one way only.
func bytesFault(path string) string {
	switch {
	case len(path) > maxPath:
		return pathTooLong
	case strings.Contains(path, "%"):
		return "must not have encoded bytes"
	case !pathBytes().MatchString(path):
		return "has a character that cannot stand in a path"
	case strings.Contains(path, "//"):
		return "has an empty segment"
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return "has a dot segment"
		}
	}
	return ""
}
