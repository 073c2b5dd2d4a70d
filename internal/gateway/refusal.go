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
	reason reason
}

// challenge is what API Management sends beside a 401 for keys.
var challenge = [2]string{"Www-Authenticate", `AzureApiManagementKey realm="twinkey",name="Ocp-Apim-Subscription-Key",type="header"`}

// The refusals. Clients match on status, code and message (Azure AI services,
// "Troubleshoot authentication"; error bodies as Azure's SDK tests record them).
var (
	missingKey = refuse(reasonMissingKey, "401", "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API.", challenge)
	invalidKey = refuse(reasonInvalidKey, "401", "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.", challenge)

	tokenRefused   = refuse(reasonInvalidToken, "401", "The access token is missing, invalid, for another audience than https://cognitiveservices.azure.com, or has expired, or the key it was issued for has been regenerated.", challenge)
	tokenNeedsHost = refuse(reasonTokenWithoutHost, "401", "The access token is not valid, or does not say which account is meant: with a token of a signed-in identity, call the account's own sub-domain.", challenge)
	noDataAction   = refuse(reasonNoDataAction, "PermissionDenied", "Principal does not have access to API/Operation.")
	tokenUnchecked = refuse(reasonTokenUnchecked, "503", "Access tokens cannot be checked now. Try again in a moment, or present a key.")

	publicAccessDisabled = refuse(reasonPublicAccessDisabled, "403", "Public access is disabled. Please configure private endpoint.")
	firewalled           = refuse(reasonAddressRefused, "403", "Access denied due to Virtual Network/Firewall rules.")

	keysDisabled  = refuse(reasonKeysDisabled, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")
	ambiguousPath = refuse(reasonAmbiguousPath, "400", "The path can be read in more than one way: '.' and '..' segments, backslashes, control characters and broken escapes are not accepted, in no encoding.")
	brokenBody    = refuse(reasonBrokenBody, "400", "The body of the call cannot be read: its chunks are not framed as HTTP/1.1 says.")
	notFound      = Refusal{reason: reasonNoRoute, Status: http.StatusNotFound, Code: "404", Body: `{"error":{"code":"404","message": "Resource not found"}}`} // with the blank Azure has there
	kindGone      = refuse(reasonKindGone, "404", "The service this account is for is not offered by this server any more. Ask its operator.")
	upstreamSlow  = failure(http.StatusGatewayTimeout, "504", "The service behind this endpoint has not answered in time. Try again later.")
	internalError = failure(http.StatusInternalServerError, "500", "Internal server error.")
	upstreamDown  = failure(http.StatusBadGateway, "502", "The service behind this endpoint cannot be reached. Try again later.")
)

// refuse makes the answer to calls that are refused for a reason, with the
// reason's status.
func refuse(why reason, code, message string, header ...[2]string) Refusal {
	r := failure(reasons()[why].status, code, message, header...)
	r.reason = why
	return r
}

// failure makes the answer to a call that was admitted and came to nothing.
func failure(status int, code, message string, header ...[2]string) Refusal {
	r := Refusal{Status: status, Code: code, Body: `{"error":{"code":` + strconv.Quote(code) + `,"message":` + strconv.Quote(message) + `}}`}
	if len(header) > 0 {
		r.header = header[0]
	}
	return r
}

// rateExceeded is the answer to a call beyond what the SKU allows (Azure AI
// services, "Request limits").
func rateExceeded(a Admission, seconds int) Refusal {
	unit := " seconds"
	if seconds == 1 {
		unit = " second"
	}
	return refuse(reasonRateExceeded, "429", "Requests to this account have exceeded call rate limit of your current "+a.Account.Kind+" "+a.Account.SKU+" pricing tier. Please retry after "+strconv.Itoa(seconds)+unit+".",
		[2]string{"Retry-After", strconv.Itoa(seconds)})
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
