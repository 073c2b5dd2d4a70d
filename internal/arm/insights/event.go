package insights

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/audit"
)

// The words that are the same in all events there are: what was refused is not
// in the log.
const (
	statusSucceeded        = "Succeeded"
	levelInformational     = "Informational"
	categoryAdministrative = "Administrative"
	channelOperation       = "Operation"
)

// event is an entry on the wire (Microsoft.Insights 2015-04-01, EventData).
type event struct {
	Authorization        authorization     `json:"authorization"`
	Caller               string            `json:"caller"`
	Channels             string            `json:"channels"`
	Claims               map[string]string `json:"claims"`
	CorrelationID        string            `json:"correlationId"`
	Description          string            `json:"description"`
	EventDataID          string            `json:"eventDataId"`
	EventName            words             `json:"eventName"`
	Category             words             `json:"category"`
	EventTimestamp       string            `json:"eventTimestamp"`
	HTTPRequest          httpRequest       `json:"httpRequest"`
	ID                   string            `json:"id"`
	Level                string            `json:"level"`
	OperationID          string            `json:"operationId"`
	OperationName        words             `json:"operationName"`
	ResourceGroupName    string            `json:"resourceGroupName"`
	ResourceProviderName words             `json:"resourceProviderName"`
	ResourceType         words             `json:"resourceType"`
	ResourceID           string            `json:"resourceId"`
	Status               words             `json:"status"`
	SubStatus            words             `json:"subStatus"`
	SubmissionTimestamp  string            `json:"submissionTimestamp"`
	SubscriptionID       string            `json:"subscriptionId"`
	TenantID             string            `json:"tenantId"`
	Properties           map[string]string `json:"properties"`
}

// words is a text for programs and the same for people.
type words struct {
	Value     string `json:"value"`
	Localized string `json:"localizedValue"`
}

type authorization struct {
	Action string `json:"action"`
	Scope  string `json:"scope"`
}

type httpRequest struct {
	ClientRequestID string `json:"clientRequestId,omitempty"`
	ClientAddress   string `json:"clientIpAddress,omitempty"`
	Method          string `json:"method"`
}

// eventOf shows an entry. Its id keeps the 128 bits of the entry's, written as a
// GUID.
func (h *handlers) eventOf(e audit.Entry, scope twinkey.ResourceID) event {
	at := e.At.UTC().Format("2006-01-02T15:04:05.0000000Z")
	id := asGUID(e.ID)
	provider, _, _ := strings.Cut(e.Action, "/")
	name := h.names[e.Action]
	if name == "" {
		name = e.Action
	}
	return event{
		Authorization: authorization{Action: e.Action, Scope: scope.String()}, Caller: e.Caller, Channels: channelOperation, Claims: claims(e),
		CorrelationID: e.CorrelationID, OperationID: e.CorrelationID, EventDataID: id,
		EventName: words{"EndRequest", "End request"}, Category: plain(categoryAdministrative), EventTimestamp: at, SubmissionTimestamp: at,
		HTTPRequest:   httpRequest{ClientRequestID: e.ClientRequestID, ClientAddress: e.Address, Method: method(e.Action)},
		ID:            fmt.Sprintf("%s/events/%s/ticks/%d", scope, id, ticks(e.At)),
		Level:         levelInformational,
		OperationName: words{e.Action, name}, ResourceGroupName: scope.Group, ResourceProviderName: plain(provider),
		ResourceType: plain(typeOf(scope)), ResourceID: scope.String(), Status: plain(statusSucceeded),
		SubscriptionID: scope.Subscription, TenantID: e.Tenant, Properties: properties(e),
	}
}

func plain(text string) words { return words{text, text} }

// claims says who it was under the names that claims have in Azure's log.
func claims(e audit.Entry) map[string]string {
	const identity = "http://schemas.microsoft.com/identity/claims/"
	c := map[string]string{identity + "objectidentifier": e.ObjectID, identity + "tenantid": e.Tenant}
	if twinkey.IsGUID(e.Caller) {
		c["appid"] = e.Caller
	} else {
		c["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = e.Caller
	}
	return c
}

// properties are the details of the entry and what Azure has for all.
func properties(e audit.Entry) map[string]string {
	p := map[string]string{"eventCategory": categoryAdministrative, "entity": e.Scope, "message": e.Action, "serviceRequestId": e.RequestID}
	maps.Copy(p, e.Details)
	return p
}

// method is the HTTP method that goes with an action.
func method(action string) string {
	switch action[strings.LastIndexByte(action, '/')+1:] {
	case "write":
		return "PUT"
	case "delete":
		return "DELETE"
	case "read":
		return "GET"
	}
	return "POST"
}

func typeOf(scope twinkey.ResourceID) string {
	switch {
	case scope.Account != "":
		return twinkey.Provider + "/accounts"
	case scope.Group != "":
		return "Microsoft.Resources/subscriptions/resourceGroups"
	}
	return "Microsoft.Resources/subscriptions"
}

// asGUID writes 32 hexadecimal characters with the dashes of a GUID.
func asGUID(id string) string {
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// ticks counts the 100 ns since the year 1, as .NET does.
func ticks(at time.Time) int64 {
	const unixEpoch = 621_355_968_000_000_000
	return at.UnixNano()/100 + unixEpoch
}

// selected reads $select: names of properties with commas between; nil for all.
func selected(text string) map[string]bool {
	var names map[string]bool
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			if names == nil {
				names = map[string]bool{}
			}
			names[name] = true
		}
	}
	return names
}

// pick keeps the properties that are named, in lower case.
func (e *event) pick(names map[string]bool) (map[string]json.RawMessage, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return !names[strings.ToLower(name)] })
	return all, nil
}
