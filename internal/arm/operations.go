package arm

import (
	"context"
	"net/http"
	"strings"
)

// operation is one entry of a provider's list of operations.
type operation struct {
	Name         string           `json:"name"`
	IsDataAction bool             `json:"isDataAction"`
	Display      operationDisplay `json:"display"`
	Origin       string           `json:"origin"`
}

type operationDisplay struct {
	Provider    string `json:"provider"`
	Resource    string `json:"resource"`
	Operation   string `json:"operation"`
	Description string `json:"description"`
}

// operationLists makes, of all routes, the route that lists the operations of
// each resource provider they name.
func operationLists(routes []Route) []Route {
	var namespaces []string
	lists := map[string][]operation{}
	listed := map[string]bool{}
	for _, r := range routes {
		if r.Action == "" || listed[r.Action] {
			continue
		}
		listed[r.Action] = true
		namespace, _, _ := strings.Cut(r.Action, "/")
		if lists[namespace] == nil {
			namespaces = append(namespaces, namespace)
		}
		lists[namespace] = append(lists[namespace], operation{
			Name: r.Action, Display: operationDisplay(r.Display), Origin: "user,system",
		})
	}
	var made []Route
	for _, namespace := range namespaces {
		answer := lists[namespace]
		made = append(made, Route{
			Method:  http.MethodGet,
			Pattern: "/providers/" + namespace + "/operations",
			Handle: func(context.Context, *Request) (*Response, error) {
				return AnswerList(answer, ""), nil
			},
		})
	}
	return made
}
