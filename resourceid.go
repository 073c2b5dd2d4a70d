package twinkey

import (
	"slices"
	"strings"
	"unicode"
)

// Provider is the resource provider namespace of accounts.
const Provider = "Microsoft.CognitiveServices"

// ResourceID names a scope: the tenant root (all fields empty), a subscription,
// a resource group, or an account. Names keep the casing they came with and
// compare without it (Azure Resource Manager RPC, Addendum.md, "Resource naming").
type ResourceID struct {
	Subscription string `json:"subscription,omitempty"`
	Group        string `json:"group,omitempty"`
	Account      string `json:"account,omitempty"`
}

// ParseResourceID reads "/", "/subscriptions/S", ".../resourceGroups/G" or
// ".../providers/Microsoft.CognitiveServices/accounts/A", fixed segments in any
// case, and checks every name.
func ParseResourceID(s string) (ResourceID, error) {
	var id ResourceID
	bad := Errorf(Invalid, "'%s' is not a resource id this server knows. Expected /subscriptions/{id}[/resourceGroups/{name}[/providers/%s/accounts/{name}]].", Printable(s, 200), Provider)
	if s == "/" {
		return id, nil
	}
	parts := strings.Split(strings.TrimSuffix(s, "/"), "/")
	fixed := []struct {
		at   int
		name string
	}{{0, ""}, {1, "subscriptions"}, {3, "resourceGroups"}, {5, "providers"}, {6, Provider}, {7, "accounts"}}
	for _, f := range fixed {
		if f.at < len(parts) && !strings.EqualFold(parts[f.at], f.name) {
			return ResourceID{}, bad
		}
	}
	switch len(parts) {
	case 9:
		id.Account = parts[8]
		fallthrough
	case 5:
		id.Group = parts[4]
		fallthrough
	case 3:
		id.Subscription = parts[2]
	default:
		return ResourceID{}, bad
	}
	if slices.Contains(parts[1:], "") { // an absent name would name the scope around it
		return ResourceID{}, bad
	}
	if err := id.Check(); err != nil {
		return ResourceID{}, err
	}
	return id, nil
}

// String is the id as ARM writes it.
func (id ResourceID) String() string {
	if id.Subscription == "" {
		return "/"
	}
	s := "/subscriptions/" + id.Subscription
	if id.Group != "" {
		s += "/resourceGroups/" + id.Group
	}
	if id.Account != "" {
		s += "/providers/" + Provider + "/accounts/" + id.Account
	}
	return s
}

// Folded is the id with its names case-folded: equal for ids that name the same
// thing, and usable as a map key.
func (id ResourceID) Folded() ResourceID {
	return ResourceID{Subscription: Fold(id.Subscription), Group: Fold(id.Group), Account: Fold(id.Account)}
}

// Parent is the scope around id; the tenant root is its own parent.
func (id ResourceID) Parent() ResourceID {
	switch {
	case id.Account != "":
		return ResourceID{Subscription: id.Subscription, Group: id.Group}
	case id.Group != "":
		return ResourceID{Subscription: id.Subscription}
	}
	return ResourceID{}
}

// Contains reports whether scope other is id itself or lies inside it.
func (id ResourceID) Contains(other ResourceID) bool {
	a, b := id.Folded(), other.Folded()
	switch {
	case a.Subscription == "":
		return true
	case a.Subscription != b.Subscription:
		return false
	case a.Group == "":
		return true
	case a.Group != b.Group:
		return false
	}
	return a.Account == "" || a.Account == b.Account
}

// Check applies the naming rules to the parts that are present.
func (id ResourceID) Check() error {
	if id.Subscription != "" && !IsGUID(id.Subscription) {
		return Errorf(Invalid, "The provided subscription identifier '%s' is malformed or invalid.", Printable(id.Subscription, 60))
	}
	if id.Group != "" {
		if err := CheckGroupName(id.Group); err != nil {
			return err
		}
	}
	if id.Account != "" {
		return CheckAccountName(id.Account)
	}
	return nil
}

// CheckAccountName applies the swagger's rule for accountName: 2 to 64
// characters, ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$.
func CheckAccountName(name string) error {
	ok := len(name) >= 2 && len(name) <= 64
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		ok = alnum || i > 0 && (c == '_' || c == '.' || c == '-')
	}
	if !ok {
		return Errorf(InvalidName, "The account name '%s' is invalid. It must have 2 to 64 characters: letters, digits, '_', '.', '-', beginning with a letter or digit.", Printable(name, 80))
	}
	return nil
}

// CheckGroupName applies ARM's rule for resource group names: 1 to 90 letters,
// digits, '-', '_', '.', '(' and ')', not ending with '.'. Combining marks are
// refused, so that two ways to spell one letter cannot name two groups.
func CheckGroupName(name string) error {
	n := 0
	ok := name != "" && !strings.HasSuffix(name, ".")
	for _, r := range name {
		n++
		ok = ok && r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.()", r))
	}
	if !ok || n > 90 {
		return Errorf(InvalidName, "The resource group name '%s' is invalid. It must have 1 to 90 characters: letters, digits, '-', '_', '.', '(', ')', not ending with '.'.", Printable(name, 100))
	}
	return nil
}

// IsGUID reports whether s is 8-4-4-4-12 hexadecimal digits in any case.
func IsGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
			continue
		}
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// Fold maps s to the one spelling all its casings share (Unicode simple case
// folding).
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			return r
		}
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		if unicode.SimpleFold(r) == r {
			return r // no casings, whatever ToLower makes of it (U+0130)
		}
		return unicode.ToLower(least)
	}, s)
}
