package cli

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	twinkey "github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/armclient"
)

// activityVersion is the API version of the activity log.
const activityVersion = "2015-04-01"

func newActivity(s *session) *cobra.Command {
	return branch(&cobra.Command{Use: "activity", Short: "See what was done, and by whom."}, newActivityList(s))
}

// newMonitor has the activity log under the Azure CLI's name for it.
func newMonitor(s *session) *cobra.Command {
	log := branch(&cobra.Command{Use: "activity-log", Short: "See what was done, and by whom."}, newActivityLogList(s))
	return branch(&cobra.Command{Use: "monitor", Short: "See what was done: the activity log."}, log)
}

// activityOptions select events.
type activityOptions struct {
	group       name
	account     name
	resource    text
	caller      text
	correlation text
	status      text
	start, end  moment
	offset      offset
	most        count
}

func (o *activityOptions) register(c *cobra.Command) {
	o.offset, o.most = offset(6*time.Hour), 50
	f := c.Flags()
	f.VarP(&o.group, "resource-group", "g", "Name of a resource `group`: what was done in it.")
	f.Var(&o.caller, "caller", "Who did it: a user's `name`, or the id of an application.")
	f.Var(&o.correlation, "correlation-id", "`ID` that the parts of one operation share.")
	f.Var(&o.status, "status", "`Status`; what was done has Succeeded, and what was refused is not in the log.")
	f.Var(&o.start, "start-time", "The earliest `time`: 2026-01-31T12:00:00Z; without a zone it is UTC.")
	f.Var(&o.end, "end-time", "The latest `time`; now if neither is given.")
	f.Var(&o.offset, "offset", "How long before the end, or after the start, in the `form` 1d6h30m.")
	f.Var(&o.most, "max-events", "`Number` of events at most, the newest first.")
}

func newActivityList(s *session) *cobra.Command {
	o := &activityOptions{}
	c := &cobra.Command{
		Use: "list", Short: "List what was done, the newest first.",
		Example: `twinkey activity list -g myGroup -n myAccount --offset 7d --output table
List what was done to an account in a week.`,
	}
	o.register(c)
	c.Flags().VarP(&o.account, "name", "n", "Name of an `account` of the resource group: what was done to it.")
	return s.leaf(c, nil, activityView(), func(ctx context.Context) (any, error) {
		if o.account != "" && o.group == "" {
			return nil, &usageError{cmd: c, text: "--name/-n needs --resource-group/-g"}
		}
		return o.run(ctx, s)
	})
}

func newActivityLogList(s *session) *cobra.Command {
	o := &activityOptions{}
	c := &cobra.Command{
		Use: "list", Short: "List the events of the activity log, the newest first.",
		Example: `twinkey monitor activity-log list -g myGroup --offset 1d
List the events of a day in a resource group.`,
	}
	o.register(c)
	c.Flags().Var(&o.resource, "resource-id", "`ID` of a resource: what was done to it.")
	return s.leaf(c, nil, activityView(), func(ctx context.Context) (any, error) {
		if o.resource != "" && o.group != "" {
			return nil, &usageError{cmd: c, text: "--resource-id and --resource-group/-g exclude one another"}
		}
		return o.run(ctx, s)
	})
}

func (o *activityOptions) run(ctx context.Context, s *session) (any, error) {
	from, to := o.between(s.cfg.Now())
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn.list(ctx, armclient.Request{
		Method: http.MethodGet, APIVersion: activityVersion, AtMost: int(o.most),
		Path:  []string{"subscriptions", conn.subscription.ID, "providers", "Microsoft.Insights", "eventtypes", "management", "values"},
		Query: url.Values{"$filter": {o.filter(conn.subscription.ID, from, to)}, "$top": {fmt.Sprint(int(o.most))}},
	})
}

// between is the time that is asked about: the offset goes back from the end, or
// on from a start that is given alone.
func (o *activityOptions) between(now time.Time) (from, to time.Time) {
	from, to = time.Time(o.start), time.Time(o.end)
	switch {
	case from.IsZero() && to.IsZero():
		return now.Add(-time.Duration(o.offset)), now
	case from.IsZero():
		return to.Add(-time.Duration(o.offset)), to
	case to.IsZero():
		return from, from.Add(time.Duration(o.offset))
	}
	return from, to
}

// filter is the $filter of the call.
func (o *activityOptions) filter(subscription string, from, to time.Time) string {
	resource := string(o.resource)
	if o.account != "" {
		resource = twinkey.ResourceID{Subscription: subscription, Group: string(o.group), Account: string(o.account)}.String()
	}
	conditions := []string{
		"eventTimestamp ge '" + from.UTC().Format(time.RFC3339Nano) + "'",
		"eventTimestamp le '" + to.UTC().Format(time.RFC3339Nano) + "'",
	}
	for _, c := range []struct{ name, value string }{
		{"resourceGroupName", string(o.group)}, {"resourceUri", resource}, {"correlationId", string(o.correlation)},
		{"caller", string(o.caller)}, {"status", string(o.status)},
	} {
		if c.value != "" && !(c.name == "resourceGroupName" && resource != "") {
			conditions = append(conditions, c.name+" eq '"+strings.ReplaceAll(c.value, "'", "''")+"'")
		}
	}
	return strings.Join(conditions, " and ")
}

// activityView shows events as the Azure CLI does, and in a table what one looks
// for first.
func activityView() view {
	return view{
		fields: []string{"id"},
		columns: []column{
			{"Time", []string{"eventTimestamp"}}, {"Caller", []string{"caller"}}, {"Operation", []string{"operationName", "localizedValue"}},
			{"Resource", nil}, {"Status", []string{"status", "localizedValue"}}, {"Details", nil},
		},
		texts: map[string]func(any) any{"Resource": eventResource, "Details": eventDetails},
	}
}

// eventResource is "group/account", or the group alone.
func eventResource(event any) any {
	text, _ := at(event, []string{"resourceId"}).(string)
	id, err := twinkey.ParseResourceID(text)
	switch {
	case err != nil:
		return text
	case id.Account != "":
		return id.Group + "/" + id.Account
	case id.Group != "":
		return id.Group
	}
	return id.Subscription
}

// eventDetails is what an event says beyond what all of them do.
func eventDetails(event any) any {
	properties, _ := at(event, []string{"properties"}).(map[string]any)
	var details []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		switch name {
		case "eventCategory", "entity", "message", "serviceRequestId", "statusCode", "hierarchy":
		default:
			details = append(details, fmt.Sprintf("%s=%v", name, properties[name]))
		}
	}
	return strings.Join(details, " ")
}
