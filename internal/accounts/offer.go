package accounts

import (
	"strings"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
)

// checkSubDomain applies DNS's rule for one label, which Azure's rule is.
func checkSubDomain(name string) error {
	ok := len(name) <= 63 && !strings.HasPrefix(name, "-") && !strings.HasSuffix(name, "-")
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
	}
	if !ok {
		return twinkey.Errorf(twinkey.InvalidName, "The sub-domain name '%s' is invalid. It may have up to 63 letters, digits and '-', and neither begins nor ends with '-'.", twinkey.Printable(name, 80))
	}
	return nil
}

// foldLocation is the form in which locations compare: without case and spaces.
func foldLocation(l string) string { return twinkey.Fold(strings.ReplaceAll(l, " ", "")) }

func kindNames(c *catalog.Catalog) []string {
	var names []string
	for _, k := range c.Kinds() {
		names = append(names, k.Name())
	}
	return names
}

func skuNames(k catalog.Kind) []string {
	var names []string
	for _, s := range k.SKUs() {
		names = append(names, s.Name)
	}
	return names
}
