// Package insights is ARM's routes for what is known about the past: the
// activity log (Microsoft.Insights), in the form Azure Monitor has.
//
// It refuses to change anything, to show more than the filter of a call names,
// and to pass over a part of a filter it does not understand.
package insights

import (
	"context"
	"net/http"
	"time"

	"github.com/twinkey/twinkey/internal/accounts"
	"github.com/twinkey/twinkey/internal/arm"
	"github.com/twinkey/twinkey/internal/audit"
)

// actionReadEvents is the permission to read the log (Microsoft.Insights
// provider operations).
const actionReadEvents = "Microsoft.Insights/eventtypes/values/read"

// Log is where the entries are.
type Log interface {
	// RecentActivity lists a subscription's entries between two moments, both
	// included, from the newest on. A page begins after an entry's place:
	// "<hour>/<id>".
	RecentActivity(ctx context.Context, subscription string, from, to time.Time, page accounts.Page) ([]audit.Entry, string, error)
}

// Config is what the routes need; every field is required.
type Config struct {
	Service *accounts.Service
	Log     Log
	Now     func() time.Time
	Tables  [][]arm.Route // of all operations, which the log calls by their names
}

// handlers answers the calls.
type handlers struct {
	service *accounts.Service
	log     Log
	now     func() time.Time
	names   map[string]string // action -> what people call it
}

// Routes is the table of this package.
func Routes(config Config) []arm.Route {
	h := &handlers{service: config.Service, log: config.Log, now: config.Now, names: map[string]string{}}
	for _, table := range config.Tables {
		for _, r := range table {
			if r.Display.Operation != "" {
				h.names[r.Action] = r.Display.Operation
			}
		}
	}
	return []arm.Route{{
		Method: http.MethodGet, Pattern: arm.SubscriptionPath + "/providers/Microsoft.Insights/eventtypes/management/values", Action: actionReadEvents,
		Display: arm.Display{Provider: "Microsoft Monitoring Insights", Resource: "Events", Operation: "Get Events", Description: "Gets the events of the activity log."},
		Handle:  h.listEvents,
	}}
}
