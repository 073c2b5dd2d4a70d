package cli_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

const eventsPath = "/subscriptions/" + subDev + "/providers/Microsoft.Insights/eventtypes/management/values"

// event is one as a server shows it.
func event(number, operation, properties string) string {
	return `{"caller":"ann@twinkey.test","eventDataId":"e` + number + `","eventTimestamp":"2031-05-04T12:30:0` + number + `.0000000Z","id":"` + account + `/events/e` + number + `/ticks/1",
		"operationName":{"value":"x/action","localizedValue":"` + operation + `"},"resourceId":"` + account + `","status":{"value":"Succeeded","localizedValue":"Succeeded"},
		"properties":{"entity":"` + account + `","eventCategory":"Administrative","message":"x/action","serviceRequestId":"r"` + properties + `}}`
}

// If this fails, what was done is asked for in another way than the Azure CLI
// does, or about another time.
func TestActivityRequests(t *testing.T) {
	s := newServer(t)
	s.on("GET "+eventsPath, reply(200, `{"value":[]}`))
	u := loggedIn(t, s)
	now := time.Now()
	u.now = func() time.Time { return now }
	at := func(before time.Duration) string { return now.Add(-before).UTC().Format(time.RFC3339Nano) }
	between := func(from, to string) string {
		return "eventTimestamp ge '" + from + "' and eventTimestamp le '" + to + "'"
	}
	resource := " and resourceUri eq '/subscriptions/" + subDev + "/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/acct'"
	for args, want := range map[string]string{
		"activity list": between(at(6*time.Hour), at(0)),
		"monitor activity-log list --offset 1d2h3m":                             between(at(26*time.Hour+3*time.Minute), at(0)),
		"activity list -g g --start-time 2031-05-04":                            between("2031-05-04T00:00:00Z", "2031-05-04T06:00:00Z") + " and resourceGroupName eq 'g'",
		"activity list --end-time 2031-05-04T12:00:00+02:00 --offset 30m":       between("2031-05-04T09:30:00Z", "2031-05-04T10:00:00Z"),
		"activity list --start-time 2031-05-01T08:00 --end-time 2031-05-02":     between("2031-05-01T08:00:00Z", "2031-05-02T00:00:00Z"),
		"activity list -g g -n acct":                                            between(at(6*time.Hour), at(0)) + resource,
		"monitor activity-log list --resource-id /subscriptions/x --caller a'b": between(at(6*time.Hour), at(0)) + " and resourceUri eq '/subscriptions/x' and caller eq 'a''b'",
		"monitor activity-log list --correlation-id c --status Failed -g g":     between(at(6*time.Hour), at(0)) + " and resourceGroupName eq 'g' and correlationId eq 'c' and status eq 'Failed'",
	} {
		if got := u.run(strings.Fields(args)...); got.code != 0 || got.stdout != "[]\n" {
			t.Errorf("%s: %+v", args, got)
			continue
		}
		asked, _ := s.last()
		path, query, _ := strings.Cut(asked, "?")
		values, err := url.ParseQuery(query)
		if err != nil || path != "GET "+eventsPath || values.Get("$filter") != want || values.Get("$top") != "50" || values.Get("api-version") != "2015-04-01" {
			t.Errorf("%s asks %s\n%s\nwant %s", args, path, values, want)
		}
	}
	for args, text := range map[string]string{
		"activity list -n acct": "--name/-n needs --resource-group/-g", "activity list --offset 6": "not a length of time", "activity list --start-time noon": "not a time",
		"activity list --max-events 0": "not a whole number", "monitor activity-log list -g g --resource-id x": "exclude one another",
	} {
		if got := u.run(strings.Fields(args)...); got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, text) {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// If this fails, more events are fetched than were asked for, or the table does
// not say what was done.
func TestActivityOutput(t *testing.T) {
	s := newServer(t)
	s.on("GET "+eventsPath, reply(200, `{"value":[`+event("3", "Regenerate Key", `,"slot":"Key1","generation":"2"`)+`,`+event("2", "List Keys", "")+`],"nextLink":"`+s.URL+`/page2"}`))
	s.on("GET /page2", reply(200, `{"value":[`+event("1", "Create Account", "")+`]}`))
	u := loggedIn(t, s)
	u.want(u.run(command("activity list -o table")...), 0, `Time                          Caller            Operation       Resource                                Status     Details
----------------------------  ----------------  --------------  --------------------------------------  ---------  ----------------------
2031-05-04T12:30:03.0000000Z  ann@twinkey.test  Regenerate Key  cog-services-staging/myMultiCogService  Succeeded  generation=2 slot=Key1
2031-05-04T12:30:02.0000000Z  ann@twinkey.test  List Keys       cog-services-staging/myMultiCogService  Succeeded
2031-05-04T12:30:01.0000000Z  ann@twinkey.test  Create Account  cog-services-staging/myMultiCogService  Succeeded
`, "")
	u.want(u.run(command("monitor activity-log list --query [].[eventDataId,resourceGroup] -o tsv")...), 0,
		"e3\tcog-services-staging\ne2\tcog-services-staging\ne1\tcog-services-staging\n", "")
	before := len(s.asked)
	u.want(u.run(command("activity list --max-events 1 --query [].eventDataId -o tsv")...), 0, "e3\n", "")
	if asked := len(s.asked) - before; asked != 1 {
		t.Errorf("one event takes %d calls", asked)
	}
}
