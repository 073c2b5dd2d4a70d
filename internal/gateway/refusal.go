package gateway

import (
	"net/http"
	"strconv"
)

// Refusal is an answer the gateway gives itself, in the form Azure's data
// planes use.
type Refusal struct {
	Status int
	Code   string
	Body   string
	header [2]string
}

// challenge is what API Management sends beside a 401 for keys.
var challenge = [2]string{"Www-Authenticate", `AzureApiManagementKey realm="twinkey",name="Ocp-Apim-Subscription-Key",type="header"`}

// The refusals. Clients match on status, code and message (Azure AI services,
// "Troubleshoot authentication"; error bodies as Azure's SDK tests record them).
var (
	missingKey = refuse(http.StatusUnauthorized, "401", "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.", challenge)
	invalidKey = refuse(http.StatusUnauthorized, "401", "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.", challenge)

	tokenRefused  = refuse(http.StatusUnauthorized, "401", "Access tokens are not accepted at this endpoint. Present one of the account's keys in the header Ocp-Apim-Subscription-Key.", challenge)
	keysDisabled  = refuse(http.StatusForbidden, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")
	ambiguousPath = refuse(http.StatusBadRequest, "400", "The path can be read in more than one way: '.' and '..' segments, backslashes, encoded slashes and control characters are not accepted.")
	notFound      = refuse(http.StatusNotFound, "404", "Resource not found")
	kindGone      = refuse(http.StatusNotFound, "404", "The service this account is for is not offered by this server any more. Ask its operator.")
	upstreamDown  = refuse(http.StatusBadGateway, "502", "The service behind this endpoint cannot be reached. Try again later.")
)

func refuse(status int, code, message string, header ...[2]string) Refusal {
	r := Refusal{Status: status, Code: code, Body: `{"error":{"code":` + strconv.Quote(code) + `,"message":` + strconv.Quote(message) + `}}`}
	if len(header) > 0 {
		r.header = header[0]
	}
	return r
}

func (r *Refusal) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(r.Body)))
	if r.header[0] != "" {
		h.Set(r.header[0], r.header[1])
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write([]byte(r.Body)) // a peer that has gone needs no answer
}
