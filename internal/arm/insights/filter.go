package insights

import (
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/audit"
)

// filter is what a call asks for. Fields that are zero ask for nothing.
type filter struct {
	scope       twinkey.ResourceID // the narrowest that is named
	from, to    time.Time          // both included; to may be zero
	provider    string
	correlation string
	caller      string
	nothing     bool // asks for events there are none of here
}

// parseFilter reads conditions joined by "and" (Azure Monitor, "Activity Logs -
// List", $filter; the Azure CLI writes moments without quotation marks, and
// caller and status as well). The beginning is required, as it is there.
func parseFilter(text, subscription string) (filter, error) {
	f := filter{scope: twinkey.ResourceID{Subscription: subscription}}
	given := map[string]bool{}
	for _, condition := range conditions(text) {
		name, operator, value, ok := comparison(condition)
		name = strings.ToLower(name)
		if !ok || given[name+operator] {
			return f, notUnderstood(condition)
		}
		given[name+operator] = true
		var err error
		switch {
		case name == "eventtimestamp" && operator == "ge":
			f.from, err = moment(value)
		case name == "eventtimestamp" && operator == "le":
			f.to, err = moment(value)
		case operator == "eq":
			err = f.equal(name, value)
		default:
			err = notUnderstood(condition)
		}
		if err != nil {
			return f, err
		}
	}
	if f.from.IsZero() {
		return f, twinkey.Errorf(twinkey.Invalid, "The parameter $filter is required, and must say since when: eventTimestamp ge '2026-01-31T00:00:00Z'.")
	}
	return f, nil
}

// equal takes a condition of the form name eq value.
func (f *filter) equal(name, value string) error {
	switch name {
	case "resourcegroupname", "resourcegroup":
		if f.scope.Group != "" && twinkey.Fold(f.scope.Group) != twinkey.Fold(value) {
			f.nothing = true
			return nil
		}
		f.scope.Group = value
		return f.scope.Check()
	case "resourceuri", "resourceid":
		id, err := twinkey.ParseResourceID(value)
		if err != nil {
			return err
		}
		if !f.scope.Contains(id) {
			return twinkey.Errorf(twinkey.Invalid, "The resource '%s' of $filter is not in '%s'.", id, f.scope)
		}
		f.scope = id
	case "resourceprovider":
		f.provider = value
	case "correlationid":
		f.correlation = value
	case "caller":
		f.caller = value
	case "status": // what was refused is not in the log
		f.nothing = f.nothing || !strings.EqualFold(value, statusSucceeded)
	case "level", "levels":
		f.nothing = f.nothing || !lists(value, levelInformational)
	case "category":
		f.nothing = f.nothing || !strings.EqualFold(value, categoryAdministrative)
	case "eventchannels":
		f.nothing = f.nothing || !lists(value, channelOperation) && !lists(value, "Admin")
	default:
		return notUnderstood(name + " eq " + value)
	}
	return nil
}

// matches reports whether an entry is asked for, and what it is about.
func (f *filter) matches(e audit.Entry) (twinkey.ResourceID, bool) {
	scope, err := twinkey.ParseResourceID(e.Scope)
	if err != nil || f.nothing || !f.scope.Contains(scope) {
		return scope, false
	}
	provider, _, _ := strings.Cut(e.Action, "/")
	return scope, (f.provider == "" || strings.EqualFold(f.provider, provider)) &&
		(f.correlation == "" || strings.EqualFold(f.correlation, e.CorrelationID)) &&
		(f.caller == "" || strings.EqualFold(f.caller, e.Caller))
}

// conditions splits at "and" outside of quotation marks.
func conditions(text string) []string {
	var all []string
	begin, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case !quoted && len(text)-i >= len(" and ") && strings.EqualFold(text[i:i+len(" and ")], " and "):
			all = append(all, strings.TrimSpace(text[begin:i]))
			i += len(" and") // the space may begin the next one
			begin = i
		}
	}
	if rest := strings.TrimSpace(text[begin:]); rest != "" || len(all) > 0 {
		all = append(all, rest)
	}
	return all
}

// comparison takes a condition apart: a name, an operator in lower case, and a
// value, in quotation marks (doubled inside: OData 4.01, "Primitive Literals")
// or bare.
func comparison(condition string) (name, operator, value string, ok bool) {
	name, rest, _ := strings.Cut(condition, " ")
	operator, value, _ = strings.Cut(strings.TrimSpace(rest), " ")
	value = strings.TrimSpace(value)
	if inner, quoted := strings.CutPrefix(value, "'"); quoted {
		if value, ok = strings.CutSuffix(inner, "'"); !ok || strings.Contains(strings.ReplaceAll(value, "''", ""), "'") {
			return "", "", "", false
		}
		value = strings.ReplaceAll(value, "''", "'")
	} else if strings.ContainsAny(value, "'()") {
		return "", "", "", false
	}
	return name, strings.ToLower(operator), value, name != "" && value != ""
}

// moment reads the forms of time that clients write; without a zone it is UTC.
func moment(text string) (time.Time, error) {
	for _, form := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly,
	} {
		if at, err := time.Parse(form, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, twinkey.Errorf(twinkey.Invalid, "'%s' in $filter is not a time. Expected the form 2026-01-31T12:00:00Z.", twinkey.Printable(text, 60))
}

// lists reports whether a list with commas has a word.
func lists(list, word string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(item), word) {
			return true
		}
	}
	return false
}

func notUnderstood(condition string) error {
	return twinkey.Errorf(twinkey.Unsupported, "The condition '%s' of $filter is not supported. Supported: eventTimestamp ge and le, and one each of "+
		"resourceGroupName, resourceUri, resourceProvider, correlationId, caller and status with eq, joined by and.", twinkey.Printable(condition, 100))
}
