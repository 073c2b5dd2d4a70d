package access_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/access"
)

const (
	subscription = "11111111-2222-3333-4444-555555555555"
	user         = "aaaaaaaa-0000-0000-0000-000000000001"
	group        = "aaaaaaaa-0000-0000-0000-00000000000f"
)

var (
	root    = twinkey.ResourceID{}
	sub     = twinkey.ResourceID{Subscription: subscription}
	rg      = twinkey.ResourceID{Subscription: subscription, Group: "cog-services"}
	account = twinkey.ResourceID{Subscription: subscription, Group: "cog-services", Account: "speech"}
)

// roles makes a look-up of roles "0", "1", ... with the given permissions.
func roles(permissions ...[]access.Permission) access.Roles {
	return func(id string) (access.Role, bool) {
		for i, p := range permissions {
			if fmt.Sprint(i) == id {
				return access.Role{ID: id, Permissions: p}, true
			}
		}
		return access.Role{}, false
	}
}

func assign(principal, role string, scope twinkey.ResourceID) access.Assignment {
	return access.Assignment{PrincipalID: principal, RoleID: role, Scope: scope}
}

// allowed asks about one user with one permission at the subscription.
func allowed(p access.Permission, action string) bool {
	return access.Allow(twinkey.Principal{ObjectID: user}, action, account, []access.Assignment{assign(user, "0", sub)}, roles([]access.Permission{p}))
}

// Without an assignment that concerns the caller, at the scope or around it,
// of a role that is known, nothing is allowed.
func TestNothingIsAllowedByDefault(t *testing.T) {
	everything := roles([]access.Permission{{Actions: []string{"*"}, DataActions: []string{"*"}}})
	who := twinkey.Principal{ObjectID: user, Groups: []string{group}}
	other := twinkey.ResourceID{Subscription: "99999999-2222-3333-4444-555555555555"}
	for name, tt := range map[string]struct {
		who   twinkey.Principal
		at    access.Assignment
		scope twinkey.ResourceID
		want  bool
	}{
		"own assignment":                {who, assign(user, "0", account), account, true},
		"own assignment, other casing":  {who, assign(strings.ToUpper(user), "0", account), account, true},
		"group assignment":              {who, assign(group, "0", account), account, true},
		"root assignment":               {who, assign(user, "0", root), account, true},
		"scope in other casing":         {who, assign(user, "0", twinkey.ResourceID{Subscription: subscription, Group: "COG-Services"}), account, true},
		"another principal":             {who, assign("aaaaaaaa-0000-0000-0000-000000000002", "0", root), account, false},
		"unknown role":                  {who, assign(user, "1", root), account, false},
		"no role id":                    {who, assign(user, "", root), account, false},
		"narrower assignment":           {who, assign(user, "0", account), rg, false},
		"narrower than the tenant":      {who, assign(user, "0", sub), root, false},
		"another subscription":          {who, assign(user, "0", other), account, false},
		"another group":                 {who, assign(user, "0", twinkey.ResourceID{Subscription: subscription, Group: "cog"}), account, false},
		"empty ids on both sides":       {twinkey.Principal{Groups: []string{""}}, assign("", "0", root), account, false},
		"assignment to no account's rg": {who, assign(user, "0", twinkey.ResourceID{Group: "cog-services"}), account, false},
		"assignment without a group":    {who, assign(user, "0", twinkey.ResourceID{Subscription: subscription, Account: "speech"}), account, false},
		"request without subscription":  {who, assign(user, "0", root), twinkey.ResourceID{Group: "cog-services"}, false},
	} {
		set := []access.Assignment{tt.at}
		if got := access.Allow(tt.who, "A/b/read", tt.scope, set, everything); got != tt.want {
			t.Errorf("%s: Allow = %v", name, got)
		}
		if got := access.AllowData(tt.who, "A/b/read", tt.scope, set, everything); got != tt.want {
			t.Errorf("%s: AllowData = %v", name, got)
		}
	}
	if access.Allow(who, "A/b/read", account, nil, everything) {
		t.Error("allowed without any assignment")
	}
	if access.Allow(who, "", account, []access.Assignment{assign(user, "0", root)}, everything) {
		t.Error("the empty action is allowed")
	}
}

// A permission excepts from itself alone; roles and permissions add up; actions
// and data actions never stand in for each other; what is conditional is not
// granted.
func TestPermissions(t *testing.T) {
	who := twinkey.Principal{ObjectID: user}
	set := []access.Assignment{assign(user, "0", rg)}
	for name, tt := range map[string]struct {
		permissions     []access.Permission
		control, onData bool
	}{
		"action":                        {[]access.Permission{{Actions: []string{"P/keys/*"}}}, true, false},
		"data action":                   {[]access.Permission{{DataActions: []string{"P/keys/*"}}}, false, true},
		"excepted":                      {[]access.Permission{{Actions: []string{"*"}, NotActions: []string{"p/KEYS/*"}}}, false, false},
		"data action excepted":          {[]access.Permission{{DataActions: []string{"*"}, NotDataActions: []string{"*/read"}}}, false, false},
		"excepted for the other plane":  {[]access.Permission{{Actions: []string{"*"}, NotDataActions: []string{"*"}, DataActions: []string{"*"}, NotActions: []string{"P/x"}}}, true, false},
		"excepted in another one":       {[]access.Permission{{Actions: []string{"*"}, NotActions: []string{"*/read"}}, {Actions: []string{"P/keys/read"}}}, true, false},
		"only excepted":                 {[]access.Permission{{NotActions: []string{"Q/*"}, NotDataActions: []string{"Q/*"}}}, false, false},
		"conditional":                   {[]access.Permission{{Actions: []string{"P/*"}, Conditional: []string{"P/keys/read"}}}, false, false},
		"conditional, but granted also": {[]access.Permission{{Actions: []string{"P/*"}, Conditional: []string{"P/keys/read"}}, {Actions: []string{"P/*"}}}, true, false},
		"nothing":                       {[]access.Permission{{}}, false, false},
		"no permission":                 {nil, false, false},
	} {
		lookup := roles(tt.permissions)
		if got := access.Allow(who, "P/keys/read", account, set, lookup); got != tt.control {
			t.Errorf("%s: Allow = %v", name, got)
		}
		if got := access.AllowData(who, "P/keys/read", account, set, lookup); got != tt.onData {
			t.Errorf("%s: AllowData = %v", name, got)
		}
	}
}

// oracle says what a pattern with stars means, by regular expression.
func oracle(pattern, action string) bool {
	parts := strings.Split(asciiLower(pattern), "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return action != "" && regexp.MustCompile(`(?s)\A`+strings.Join(parts, ".*")+`\z`).MatchString(asciiLower(action))
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// The wildcard means what the regular expression ".*" means, however many there
// are.
func FuzzWildcard(f *testing.F) {
	for _, seed := range [][2]string{
		{"*", "A/b"}, {"*/read", "Microsoft.CognitiveServices/accounts/read"}, {"a*b*c", "aXbYbZc"}, {"*a*", "b"}, {"", ""}, {"*", ""}, {"**", "x"},
		{"Microsoft.Authorization/*/Write", "microsoft.authorization/roleAssignments/write"}, {"a.c", "abc"}, {"a*ab", "aab"}, {"K", "\u212a"}, {"a*", "a\n"}, {"*b", "ab*"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, action string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(action) {
			t.Skip()
		}
		want := oracle(pattern, action)
		if got := allowed(access.Permission{Actions: []string{pattern}}, action); got != want {
			t.Fatalf("%q grants %q: %v, want %v", pattern, action, got, want)
		}
		if got := allowed(access.Permission{Actions: []string{"*"}, NotActions: []string{pattern}}, action); got != (action != "" && !want) {
			t.Fatalf("%q excepts %q: %v", pattern, action, !got)
		}
	})
}

// A pattern with many stars is decided in time that grows with the product of
// the lengths: this test does not end if it grows exponentially.
func TestManyStars(t *testing.T) {
	if allowed(access.Permission{Actions: []string{strings.Repeat("a*", 200) + "b"}}, strings.Repeat("a", 2000)) {
		t.Error("matched without a b")
	}
}

// world is a random set of roles, assignments and one question.
type world struct {
	who         twinkey.Principal
	action      string
	scope       twinkey.ResourceID
	assignments []access.Assignment
	permissions [][]access.Permission
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func randomWorld(r *rand.Rand) world {
	scope := func() twinkey.ResourceID {
		id := twinkey.ResourceID{Subscription: pick(r, subscription, subscription, subscription, "99999999-2222-3333-4444-555555555555"), Group: pick(r, "g", "G", "h"), Account: pick(r, "aa", "AA", "ab")}
		for range r.IntN(4) {
			id = id.Parent()
		}
		return id
	}
	patterns := func() []string {
		var out []string
		for range r.IntN(3) {
			out = append(out, pick(r, "*", "*/read", "P/*", "P/keys/read", "P/keys/write", "*/write", "p/KEYS/*", "Q/*"))
		}
		return out
	}
	w := world{
		who:    twinkey.Principal{ObjectID: pick(r, "u1", "u2"), Groups: pick(r, nil, []string{"g1"}, []string{"g1", "g2"})},
		action: pick(r, "P/keys/read", "P/keys/write", "p/other/READ", "Q/x/action"),
		scope:  scope(),
	}
	for range 1 + r.IntN(3) {
		var p []access.Permission
		for range 1 + r.IntN(2) {
			p = append(p, access.Permission{Actions: patterns(), NotActions: patterns(), DataActions: patterns(), NotDataActions: patterns()})
		}
		w.permissions = append(w.permissions, p)
	}
	for range r.IntN(6) {
		w.assignments = append(w.assignments, assign(pick(r, "u1", "U2", "g1", "g2", ""), fmt.Sprint(r.IntN(4)), scope()))
	}
	return w
}

func (w world) allow() bool {
	return access.Allow(w.who, w.action, w.scope, w.assignments, roles(w.permissions...))
}

func (w world) allowData() bool {
	return access.AllowData(w.who, w.action, w.scope, w.assignments, roles(w.permissions...))
}

// meaning is the rule once more, spelled out over ids as strings and patterns as
// regular expressions.
func (w world) meaning(lists func(access.Permission) (granted, excepted []string)) bool {
	within := func(inner, outer string) bool {
		inner, outer = strings.ToLower(inner)+"/", strings.ToLower(outer)+"/"
		return outer == "//" || strings.HasPrefix(inner, outer)
	}
	names := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return oracle(p, w.action) })
	}
	for _, a := range w.assignments {
		mine := strings.EqualFold(a.PrincipalID, w.who.ObjectID) || slices.Contains(w.who.Groups, a.PrincipalID)
		role, known := roles(w.permissions...)(a.RoleID)
		if !mine || !known || !within(w.scope.String(), a.Scope.String()) {
			continue
		}
		for _, p := range role.Permissions {
			if granted, excepted := lists(p); names(granted) && !names(excepted) {
				return true
			}
		}
	}
	return false
}

// Over random worlds: the answer is what the rule says; taking an assignment
// away or adding an exception never grants; assignments add up; what is allowed
// at a scope is allowed below it.
func TestProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	answers := map[bool]int{}
	for range 20000 {
		w := randomWorld(r)
		got := w.allow()
		answers[got]++
		if want := w.meaning(func(p access.Permission) ([]string, []string) { return p.Actions, p.NotActions }); got != want {
			t.Fatalf("Allow = %v, want %v: %+v", got, want, w)
		}
		if got, want := w.allowData(), w.meaning(func(p access.Permission) ([]string, []string) { return p.DataActions, p.NotDataActions }); got != want {
			t.Fatalf("AllowData = %v, want %v: %+v", got, want, w)
		}
		either := false
		for i, a := range w.assignments {
			less, alone := w, w
			less.assignments = slices.Delete(slices.Clone(w.assignments), i, i+1)
			alone.assignments = []access.Assignment{a}
			either = either || alone.allow()
			if !got && less.allow() {
				t.Fatalf("allowed after taking assignment %d away: %+v", i, w)
			}
		}
		if got != either {
			t.Fatalf("together %v, one by one %v: %+v", got, either, w)
		}
		below := w
		below.scope.Subscription = cmpOr(below.scope.Subscription, subscription)
		below.scope.Group = cmpOr(below.scope.Group, "g")
		below.scope.Account = cmpOr(below.scope.Account, "aa")
		if got && !below.allow() {
			t.Fatalf("allowed at %s, not at %s: %+v", w.scope, below.scope, w)
		}
		excepted := w
		excepted.permissions = nil
		for _, list := range w.permissions {
			list = slices.Clone(list)
			list[0].NotActions = append(slices.Clone(list[0].NotActions), pick(r, "*", "P/*", "*/read"))
			excepted.permissions = append(excepted.permissions, list)
		}
		if !got && excepted.allow() {
			t.Fatalf("allowed after adding an exception: %+v", w)
		}
	}
	if answers[true] < 1000 || answers[false] < 1000 {
		t.Fatalf("answers %v: the worlds do not exercise both", answers)
	}
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
