package accounts

import (
	"strings"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

// The rules for tags (Azure Resource Manager documentation, "Use tags to
// organize your Azure resources", "Limitations"). Lengths are in characters.
const (
	maxTags     = 50
	maxTagName  = 512
	maxTagValue = 256
	notInTags   = `<>%&\?/`
)

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return twinkey.Errorf(twinkey.Invalid, "The resource has %d tags; at most %d are allowed.", len(tags), maxTags)
	}
	for name, value := range tags {
		switch {
		case name == "":
			return twinkey.Errorf(twinkey.Invalid, "A tag has no name.")
		case utf8.RuneCountInString(name) > maxTagName:
			return twinkey.Errorf(twinkey.Invalid, "The tag name '%s' is longer than the limit of %d characters.", twinkey.Printable(name, 40), maxTagName)
		case strings.ContainsAny(name, notInTags):
			return twinkey.Errorf(twinkey.Invalid, "The tag name '%s' is invalid. A name may have none of the characters %s", twinkey.Printable(name, 80), notInTags)
		case utf8.RuneCountInString(value) > maxTagValue:
			return twinkey.Errorf(twinkey.Invalid, "The value of the tag '%s' is longer than the limit of %d characters.", twinkey.Printable(name, 80), maxTagValue)
		}
	}
	return nil
}
