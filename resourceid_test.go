package twinkey_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
)

const subscription = "0a1B2c3D-4e5F-6789-abCD-ef0123456789"

func TestResourceIDReadsEveryScopeInAnyCase(t *testing.T) {
	account := twinkey.ResourceID{Subscription: subscription, Group: "Grp.1", Account: "Acc-1"}
	for text, want := range map[string]twinkey.ResourceID{
		"/":                              {},
		"/subscriptions/" + subscription: account.Parent().Parent(),
		"/SUBSCRIPTIONS/" + subscription: account.Parent().Parent(),
		account.Parent().String():        account.Parent(),
		account.Parent().String() + "/":  account.Parent(),
		account.String():                 account,
		"/subscriptions/" + subscription + "/ResourceGroups/Grp.1/PROVIDERS/microsoft.cognitiveservices/Accounts/Acc-1": account,
	} {
		got, err := twinkey.ParseResourceID(text)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

// A scope that leaves a name out must not be read as the scope around it: a
// role assignment there would reach further than whoever wrote it meant.
func TestResourceIDWithAMissingNameIsRefused(t *testing.T) {
	sub := "/subscriptions/" + subscription
	for _, text := range []string{
		"", "//", "///", "subscriptions/" + subscription, "/subscriptions", "/subscriptions/", "/subscriptions//",
		"/subscriptions//resourceGroups/g", sub + "//", sub + "/resourceGroups", sub + "/resourceGroups/", sub + "/resourceGroups//",
		sub + "/resourceGroups//providers/" + twinkey.Provider + "/accounts/aa",
		sub + "/resourceGroups/g/providers/" + twinkey.Provider + "/accounts",
		sub + "/resourceGroups/g/providers/" + twinkey.Provider + "/accounts//",
		sub + "/resourceGroups/g/providers/Microsoft.Storage/accounts/aa",
		sub + "/resourceGroups/g/providers/" + twinkey.Provider + "/accounts/aa/deployments/d",
		"/subscriptions/nil", sub + "/resourceGroups/g.", sub + "/resourceGroups/g/providers/" + twinkey.Provider + "/accounts/a",
	} {
		if id, err := twinkey.ParseResourceID(text); err == nil {
			t.Errorf("%q was read as %+v", text, id)
		} else if id != (twinkey.ResourceID{}) {
			t.Errorf("%q: an error comes with %+v", text, id)
		}
	}
}

// What is read and written again names the same thing, and so does every other
// casing of it.
func FuzzResourceID(f *testing.F) {
	account := twinkey.ResourceID{Subscription: subscription, Group: "Grp(ß)", Account: "Acc_1"}
	for _, seed := range []string{"/", "//", "/subscriptions//", account.String(), account.Parent().String() + "/", account.Parent().Parent().String(), "/ſubscriptions/" + subscription} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := twinkey.ParseResourceID(text)
		if err != nil {
			if twinkey.KindOf(err) == twinkey.Internal {
				t.Errorf("refused with an error that has no kind: %v", err)
			}
			return
		}
		again, err := twinkey.ParseResourceID(id.String())
		if err != nil || again != id {
			t.Errorf("%q is read as %+v, written as %q, and read as %+v (%v)", text, id, id, again, err)
		}
		if want := strings.TrimSuffix(text, "/"); want != "" && !strings.EqualFold(id.String(), want) {
			t.Errorf("%q is written as %q", text, id)
		}
		for _, casing := range []func(string) string{strings.ToUpper, strings.ToLower} {
			other, err := twinkey.ParseResourceID(casing(id.String()))
			if err == nil && strings.EqualFold(casing(id.String()), id.String()) && other.Folded() != id.Folded() {
				t.Errorf("%q and %q name two things", id, other)
			}
		}
		for scope := id; ; scope = scope.Parent() {
			if !scope.Contains(id) || scope != id && id.Contains(scope) {
				t.Errorf("%q and its scope %q contain each other wrongly", id, scope)
			}
			if scope == (twinkey.ResourceID{}) {
				break
			}
		}
	})
}

// A scope contains what lies inside it in whatever casing, and nothing beside it.
func TestContains(t *testing.T) {
	root := twinkey.ResourceID{}
	sub := twinkey.ResourceID{Subscription: subscription}
	group := twinkey.ResourceID{Subscription: subscription, Group: "Grp"}
	account := twinkey.ResourceID{Subscription: subscription, Group: "Grp", Account: "Acc"}
	other := twinkey.ResourceID{Subscription: "ffffffff-4e5f-6789-abcd-ef0123456789", Group: "Grp", Account: "Acc"}
	chain := []twinkey.ResourceID{root, sub, group, account}
	for i, outer := range chain {
		for j, inner := range chain {
			if got := outer.Contains(inner.Folded()); got != (i <= j) {
				t.Errorf("%q contains %q: %v", outer, inner, got)
			}
		}
		if got := outer.Contains(other); got != (i == 0) {
			t.Errorf("%q contains %q: %v", outer, other, got)
		}
	}
	if group.Contains(twinkey.ResourceID{Subscription: subscription, Group: "Grp2", Account: "Acc"}) {
		t.Error("a group contains another whose name it begins")
	}
	if root.Parent() != root {
		t.Error("the tenant root has a parent")
	}
}

// Names are parts of paths, of keys in the store and of command lines: every
// byte outside the rule is refused, wherever in the name it stands.
func TestNamingRulesForEveryByte(t *testing.T) {
	for b := range 256 {
		c := string([]byte{byte(b)})
		alnum := strings.Contains("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", c)
		for name, want := range map[string]bool{
			c + "xy":      alnum,
			"x" + c + "y": alnum || strings.Contains("_.-", c),
			"xy" + c:      alnum || strings.Contains("_.-", c),
		} {
			if got := twinkey.CheckAccountName(name); (got == nil) != want || got != nil && twinkey.KindOf(got) != twinkey.InvalidName {
				t.Errorf("account name %q: %v", name, got)
			}
		}
		for name, want := range map[string]bool{
			c:             alnum || strings.Contains("_-()", c),
			c + "xy":      alnum || strings.Contains("_-().", c),
			"x" + c + "y": alnum || strings.Contains("_-().", c),
			"xy" + c:      alnum || strings.Contains("_-()", c),
		} {
			if got := twinkey.CheckGroupName(name); (got == nil) != want || got != nil && twinkey.KindOf(got) != twinkey.InvalidName {
				t.Errorf("group name %q: %v", name, got)
			}
		}
	}
}

func TestNamingRulesForLengths(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: false, 2: true, 64: true, 65: false} {
		if got := twinkey.CheckAccountName(strings.Repeat("a", n)); (got == nil) != want {
			t.Errorf("account name of %d characters: %v", n, got)
		}
	}
	for n, want := range map[int]bool{0: false, 1: true, 90: true, 91: false} {
		for _, c := range []string{"a", "ü", "日", "𐐀"} {
			if got := twinkey.CheckGroupName(strings.Repeat(c, n)); (got == nil) != want {
				t.Errorf("group name of %d times %q: %v", n, c, got)
			}
		}
	}
}

// One letter must not have a second spelling that names another group, and no
// name may carry what a terminal acts on.
func TestGroupNamesTakeLettersAndDigitsAlone(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		want := unicode.In(r, unicode.L, unicode.Nd)
		if got := twinkey.CheckGroupName("a" + string(r) + "b"); (got == nil) != want {
			t.Fatalf("%U: %v", r, got)
		}
	}
}

func TestIsGUID(t *testing.T) {
	for at := range len(subscription) {
		for b := range 256 {
			text := subscription[:at] + string([]byte{byte(b)}) + subscription[at+1:]
			want := strings.Contains("0123456789abcdefABCDEF", text[at:at+1])
			if subscription[at] == '-' {
				want = b == '-'
			}
			if twinkey.IsGUID(text) != want {
				t.Errorf("%q: %v", text, !want)
			}
		}
	}
	if twinkey.IsGUID(subscription+"0") || twinkey.IsGUID(subscription[1:]) || twinkey.IsGUID("") {
		t.Error("text of another length is a GUID")
	}
}
