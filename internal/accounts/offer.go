package accounts

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/catalog"
)

// maxLocation is the longest location, in characters.
const maxLocation = 64

// Offered says why an account of this kind, SKU and location could not be made
// now, nil if it could: with kind Invalid, UnknownService, UnknownSKU or
// UnknownLocation.
func (s *Service) Offered(kind, sku, location string) error {
	_, err := s.offered(kind, sku, location)
	return err
}

// SubDomainFree reports whether an account could take a sub-domain now. It fails
// with kind InvalidName for a name that no account could ever have.
func (s *Service) SubDomainFree(ctx context.Context, who twinkey.Caller, subscription, name string) (bool, error) {
	if err := s.authorize(ctx, who, ActionCheckSubDomain, twinkey.ResourceID{Subscription: subscription}); err != nil {
		return false, err
	}
	if err := checkSubDomain(name); err != nil {
		return false, err
	}
	taken, err := s.store.SubDomainTaken(ctx, name)
	return !taken, err
}

// offered checks kind, SKU and location against the catalog in force and
// returns the kind in the catalog's spelling.
func (s *Service) offered(kind, sku, location string) (string, error) {
	if kind == "" || sku == "" || location == "" {
		return "", twinkey.Errorf(twinkey.Invalid, "To create an account, 'kind', 'sku.name' and 'location' are required.")
	}
	c := s.catalog()
	k, ok := c.Kind(kind)
	if !ok {
		return "", twinkey.Errorf(twinkey.UnknownService, "The account type '%s' is either invalid or not offered by this server. Offered: %s.", twinkey.Printable(kind, 60), strings.Join(kindNames(c), ", "))
	}
	if _, ok := k.SKU(sku); !ok {
		return "", twinkey.Errorf(twinkey.UnknownSKU, "The SKU '%s' is not offered for accounts of type '%s'. Offered: %s.", twinkey.Printable(sku, 60), k.Name(), strings.Join(skuNames(k), ", "))
	}
	if err := checkLocation(location); err != nil {
		return "", err
	}
	if !k.OffersLocation(location) {
		return "", twinkey.Errorf(twinkey.UnknownLocation, "The provided location '%s' is not available for accounts of type '%s'. List of available regions is '%s'.", twinkey.Printable(location, 60), k.Name(), strings.Join(k.Locations(), ","))
	}
	return k.Name(), nil
}

// checkLocation refuses what cannot be the name of a place. Where services are
// offered anywhere, and for groups, any name is one.
func checkLocation(l string) error {
	ok := utf8.RuneCountInString(l) <= maxLocation && strings.TrimSpace(l) != ""
	for _, r := range l {
		ok = ok && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -_()", r))
	}
	if !ok {
		return twinkey.Errorf(twinkey.UnknownLocation, "The provided location '%s' is invalid. It may have up to %d letters, digits, spaces, '-', '_', '(' and ')'.", twinkey.Printable(l, 60), maxLocation)
	}
	return nil
}

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
