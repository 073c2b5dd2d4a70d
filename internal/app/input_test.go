package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// hostile are JSON texts that no operation takes.
func hostile() []string {
	return []string{"{", "}", "[]", "null", `"x"`, "1", "tru", "{}{}", `{"a":1,}`, `{"a":}`, "\x00", "\xff\xfe{\x00}\x00", "{\"\xff\":1}", `{"location":"a","location":"b"}`,
		strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 40_000), `{"location":1}`, `{"location":{}}`, `{"tags":[]}`, `{"tags":{"a":1}}`, `{"tags":"x"}`, "<xml/>", "a=b&c=d"}
}

// If this fails, bad input of ARM's is taken, or answered as a fault of the
// server, or in a form its clients do not read.
func TestBadInputToManagement(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t)
	at, auth := w.env.Endpoints.Endpoint, "Authorization: Bearer {token}"
	for _, version := range []string{"", "?", "?api-version", "?api-version=", "?api-version=latest", "?api-version=2024-13-01", "?api-version=0001-01-01", "?api-version=9999-01-01", "?api-version=2025-06-01x",
		"?api-version=2025-06-01&api-version=2024-10-01", "?api-version=2025-06-01&API-Version=2024-10-01", "?api-version=%00", "?api-version=%zz", "?api-version=" + strings.Repeat("2", 10_000), "?api-version=2025-06-01;x=y", "?api-version=%ff", "?api-version=2025-06-01&x=%ff"} {
		for _, line := range []string{"GET {acct}", "PUT {group}", "POST {acct}/listKeys", "GET /subscriptions", "DELETE {acct}", "HEAD {group}"} {
			if r := w.call(at, line+version, "", auth); !strings.HasPrefix(line, "HEAD") {
				w.refused(line+version, r, inARM, 400)
			} else if r.status != 400 {
				t.Errorf("%s%s: %d", line, version, r.status)
			}
		}
	}
	for _, line := range []string{"PUT {acct}?{v}", "PATCH {acct}?{v}", "PUT {group}?{v}", "PATCH {group}?{v}", "POST {acct}/regenerateKey?{v}", "PUT {group}/providers/Microsoft.Authorization/roleAssignments/" + w.env.Endpoints.TenantID + "?{v}",
		"PUT {sub}?{v}", "POST {sub}/providers/Microsoft.CognitiveServices/checkDomainAvailability?{v}"} {
		for _, body := range hostile() {
			if strings.Contains(line, "{acct}?") && strings.HasPrefix(body, `{"location":"a"`) {
				continue // a doubled member is looked at below
			}
			w.refused(line+" "+body, w.call(at, line, body, auth, "Content-Type: application/json"), inARM, 400)
		}
		w.refused(line+" 10 MB", w.call(at, line, `{"tags":{"a":"`+strings.Repeat("x", 10<<20)+`"}}`, auth), inARM, 413)
		w.refused(line+" gzip", w.call(at, line, "\x1f\x8b\x08", auth, "Content-Encoding: gzip"), inARM, 400)
	}
	for _, headers := range [][]string{{}, {"Authorization:"}, {"Authorization: Basic eDp5"}, {"Authorization: Bearer"}, {"Authorization: Bearer a b"}, {"Authorization: {token}"}, {auth, auth}, {"Authorization: Bearer {token}x"},
		{"Authorization: Bearer " + strings.Repeat("a.", 3)}, {"Authorization: Bearer " + strings.Repeat("x", 40_000)}, {"Authorization: Bearer {key}"}, {"Ocp-Apim-Subscription-Key: {key}"}} {
		w.refused(fmt.Sprint(headers), w.call(at, "POST {acct}/listKeys?{v}", "", headers...), inARM, 401)
	}
	for _, headers := range []string{`If-Match: "1", "2"`, `If-None-Match: "1"`} {
		w.refused(headers, w.call(at, "PATCH {acct}?{v}", `{"tags":{}}`, auth, headers), inARM, 400)
	}
	for _, path := range []string{"{sub}/resourceGroups/g%2F..%2Fg", "{sub}/resourceGroups/..", "{sub}/resourceGroups/%2e%2e", "{sub}/../..{group}", "{sub}/resourceGroups/a%00b", "{sub}/resourceGroups/%ff", "{sub}/resourceGroups/a%5cb", "{sub}/resourceGroups/" + strings.Repeat("x", 30_000),
		"/subscriptions/x", "/subscriptions/%00", "/subscriptions/..%2f..", "/subscriptions/{key}/resourceGroups/g", "{sub}/providers/..", "{acct}/../acct/%2e", "{acct}%2flistKeys", "/", "//", "/%2e%2e/%2e%2e/etc/passwd", "{sub}/resourceGroups/g%zz", "{group}/resources;x"} {
		for _, method := range []string{"GET", "PUT", "DELETE", "POST", "PATCH"} {
			if strings.HasSuffix(path, "%5cb") && method == "PUT" {
				continue
			}
			w.refused(method+" "+path, w.call(at, method+" "+path+"?{v}", "", auth), inAny)
		}
	}
	for _, headers := range []string{"x-ms-client-request-id: a\tb", "x-ms-client-request-id: \xff", "x-ms-correlation-request-id: time=1", "User-Agent: \x80\"", "x-ms-client-request-id: " + strings.Repeat("x", 5000)} {
		w.refused(headers, w.call(at, "GET {sub}/resourceGroups/a%0Atime=1%20msg=b%0D%0A?{v}", "", auth, headers), inARM, 400)
	}
	for _, method := range []string{"TRACE", "OPTIONS", "FROB", "get", "PROPFIND", "CONNECT"} {
		w.refused(method, w.call(at, method+" {acct}?{v}", "", auth), inAny)
	}
	w.everyByte(func(b string) {
		w.refused("group "+b, w.call(at, "GET {sub}/resourceGroups/a"+b+"?{v}", "", auth), inARM, 400, 404)
	})
	w.everyByte(func(b string) {
		w.refused("subscription "+b, w.call(at, "GET /subscriptions/"+b+"?{v}", "", auth), inARM, 400, 404)
	})
	w.unharmed()
}

// If this fails, bad input of the token endpoint's is taken, or answered as a
// fault of the server, or in a form its clients do not read.
func TestBadInputToTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t)
	at := w.env.Endpoints.Endpoint
	const form = "Content-Type: application/x-www-form-urlencoded"
	const good = "client_id=x&grant_type=client_credentials&client_secret=y&scope=z%2f.default"
	for _, path := range []string{"/organizations/oauth2/v2.0/token", "/" + w.env.Endpoints.TenantID + "/oauth2/v2.0/token", "/adfs/oauth2/token", "/common/oauth2/token"} {
		for _, body := range append(hostile(), "", "&&&", "=", "%zz=1", "grant_type=%ff", good+"&grant_type=password", good+"&client_id=x", good+";x=y", "grant_type=password&username=%00&password=%00&client_id=x&scope=x",
			"grant_type=refresh_token&refresh_token="+strings.Repeat("x", 50_000), strings.Repeat("a=1&", 5000), "grant_type[]=password", good+"&client_assertion=x.y.z&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			"grant_type=client_credentials&client_id="+strings.Repeat("%00", 100), "grant_type=device_code", "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer") {
			w.refused(path+" "+body, w.call(at, "POST "+path, body, form), inEntra, 400, 401, 413)
		}
		w.refused("10 MB", w.call(at, "POST "+path, "a="+strings.Repeat("x", 10<<20), form), inEntra, 413)
		for _, kind := range []string{"", "application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense/;;", "application/x-www-form-urlencoded;;", "a/b, c/d"} {
			w.refused(kind, w.call(at, "POST "+path, good, "Content-Type: "+kind), inEntra, 400)
		}
		for _, basic := range []string{"Basic", "Basic !", "Basic eA==", "Bearer x", "Basic Og==", "Negotiate abc"} {
			w.refused(basic, w.call(at, "POST "+path, "grant_type=client_credentials&scope=x", form, "Authorization: "+basic), inEntra, 400, 401)
		}
		for _, method := range []string{"GET", "PUT", "DELETE", "FROB"} {
			w.refused(method+" "+path, w.call(at, method+" "+path, ""), inAny)
		}
	}
	w.everyByte(func(b string) {
		w.refused("tenant "+b, w.call(at, "POST /"+b+"/oauth2/v2.0/token", good, form), inAny)
		w.refused("user "+b, w.call(at, "POST /organizations/oauth2/v2.0/token", "client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&grant_type=password&username="+b+"&password=x&scope=x", form), inEntra, 400)
	})
	w.unharmed()
}

// If this fails, bad input of Graph's is taken, or answered as a fault of the
// server, or in a form its clients do not read.
func TestBadInputToGraph(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t)
	at, auth := w.env.Endpoints.Endpoint, "Authorization: Bearer {token}"
	for _, path := range []string{"users", "groups", "applications", "servicePrincipals", "directoryObjects/getByIds"} {
		for _, body := range hostile() {
			w.refused(path+" "+body, w.call(at, "POST /v1.0/"+path, body, auth, "Content-Type: application/json"), inGraph, 400)
		}
		w.refused(path+" 10 MB", w.call(at, "POST /v1.0/"+path, `{"displayName":"`+strings.Repeat("x", 10<<20)+`"}`, auth), inGraph, 413)
	}
	for _, query := range []string{"$filter=%00", "$filter=x", "$top=-1", "$top=99999999999999999999", "$skiptoken=%ff", "$top=1&$top=2", "$filter=" + strings.Repeat("(", 20_000), "$select=%zz", "$filter=id%20eq%20'%ff'"} {
		w.refused(query, w.call(at, "GET /v1.0/users?"+query, "", auth), inGraph, 400)
	}
	for _, headers := range [][]string{{}, {"Authorization: Basic eDp5"}, {auth, auth}, {"Authorization: Bearer {key}"}} {
		w.refused(fmt.Sprint(headers), w.call(at, "GET /v1.0/users", "", headers...), inGraph, 401)
	}
	w.everyByte(func(b string) {
		for _, path := range []string{"users/", "groups/", "applications/", "servicePrincipals/"} {
			w.refused(path+b, w.call(at, "GET /v1.0/"+path+"a"+b, "", auth), inGraph, 400, 404)
		}
	})
	w.unharmed()
}

// If this fails, bad input of the gateway's gets through to a service, or is
// answered as a fault of the server, or in a form its clients do not read.
func TestBadInputToTheGateway(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t)
	at := w.env.Endpoints.Gateway
	other := strings.Repeat("0", 32)
	for _, headers := range [][]string{{}, {"api-key:"}, {"api-key: " + other}, {"api-key: {key}", "api-key: " + other}, {"api-key: {key}", "Ocp-Apim-Subscription-Key: " + other}, {"api-key: {key}", "Authorization: Bearer " + other},
		{"api-key: {key}x"}, {"api-key: {key},{key}"}, {"api-key: " + strings.Repeat("k", 257)}, {"api-key: " + strings.Repeat("k", 40_000)}, {"Authorization: Basic {key}"}, {"Authorization: Bearer {token}"}, {"Authorization: Bearer a.b.c"},
		{"Authorization: Bearer {token}", "api-key: " + other}, {"api-key: {key}\xff"}, {"x-api-key: {key}"}, {"Cookie: api-key={key}"}} {
		w.refused(fmt.Sprint(headers), w.call(at, "GET /text/x", "", headers...), inGateway, 401)
	}
	for _, query := range []string{"subscription-key=" + other, "subscription-key={key}&subscription-key=" + other, "Subscription-Key={key}&ocp-apim-subscription-key=" + other, "subscription-key=%zz", "subscription-key=%00", "subscription-key=" + strings.Repeat("x", 20_000), "subscription-key={key}%00", "subscription-key={key}%20"} {
		w.refused(query, w.call(at, "GET /text/x?"+query, ""), inGateway, 401)
	}
	for _, path := range []string{"/text/../x", "/text/%2e%2e/x", "/text/.%2e/x", "/text/./x", "/text/a\\b", "/text/%5cb", "/text/%00", "/text/a%0ab", "/text%2fx", "/text/%zz", "/..", "/text/%", "/text/%e", "/text/%7f"} {
		w.refused(path, w.call(at, "GET "+path, "", "api-key: {key}"), inAny, 400, 404)
	}
	for _, line := range []string{"GET /sts/v1.0/issueToken", "PUT /sts/v1.0/issueToken", "GET /elsewhere", "GET /"} {
		w.refused(line, w.call(at, line, "", "api-key: {key}"), inGateway, 404)
	}
	w.everyByte(func(b string) {
		w.refused("key "+b, w.call(at, "GET /text/x?subscription-key="+b, ""), inGateway, 401)
	})
	w.unharmed()
}

// If this fails, a request that breaks off, comes twice, or can be read in two
// ways by two readers does something it should not, or harms those after it.
func TestRequestsThatAreNotWhole(t *testing.T) {
	t.Parallel()
	w := newInputWorld(t)
	type site struct{ at, request string }
	sites := []site{
		{w.env.Endpoints.Endpoint, w.expand("PATCH {acct}?{v} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Length: 24\r\n\r\n" + `{"tags":{"cut":"short"}}`)},
		{w.env.Endpoints.Endpoint, "POST /organizations/oauth2/v2.0/token HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\ngrant_type=x&client_id=x"},
		{w.env.Endpoints.Endpoint, w.expand("POST /v1.0/groups HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Length: 19\r\n\r\n" + `{"displayName":"x"}`)},
		{w.env.Endpoints.Gateway, w.expand("POST /text/x HTTP/1.1\r\nHost: h\r\napi-key: {key}\r\nContent-Length: 2\r\n\r\n{}")},
	}
	for _, s := range sites {
		for n := 0; n < len(s.request); n += 1 + len(s.request)/40 {
			for _, r := range w.send(s.at, s.request[:n], true) {
				if r.status >= 500 && s.at != w.env.Endpoints.Gateway || r.status < 400 {
					t.Errorf("the first %d bytes of %.60q: %d %s", n, s.request, r.status, r.body)
				}
			}
		}
		for _, bad := range []string{"Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n", "Content-Length : 2\r\n", " folded\r\n", "X\x00: 1\r\n", "X: \x00\r\n", "Host: other\r\n", "Content-Length: -1\r\n", "Content-Length: 1e3\r\n"} {
			all := w.send(s.at, strings.Replace(s.request, "\r\n\r\n", "\r\n"+bad+"\r\n", 1), true)
			if len(all) == 0 || all[0].status < 400 || all[0].status >= 500 && all[0].status != 501 {
				t.Errorf("%q in %.60q: %v", bad, s.request, all)
			}
		}
		large := strings.Replace(s.request, "\r\n\r\n", "\r\nX-Large: "+strings.Repeat("x", 100<<10)+"\r\n\r\n", 1)
		if all := w.send(s.at, large, false); len(all) != 1 || all[0].status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("a header of 100 KiB in %.60q: %v", s.request, all)
		}
	}
	for _, text := range []string{"", "\r\n\r\n\r\n", "\x16\x03\x01", "GET / HTTP/9.9\r\n\r\n", "GET\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", strings.Repeat("A", 1<<20)} {
		for _, at := range []string{w.env.Endpoints.Endpoint, w.env.Endpoints.Gateway} {
			for _, r := range w.send(at, text, true) {
				if r.status < 400 || r.status >= 500 && r.status != 505 {
					t.Errorf("%.20q: %d", text, r.status)
				}
			}
		}
	}
	w.unharmed()
	for _, s := range sites {
		last := strings.Replace(s.request, "\r\n", "\r\nConnection: close\r\n", 1)
		if all := w.send(s.at, s.request+s.request+last, false); len(all) != 3 || all[0].status != all[2].status || all[0].status >= 500 {
			t.Errorf("three of %.60q in one: %d answers", s.request, len(all))
		}
	}
	if line := fault.FindString(w.env.Log()); line != "" {
		t.Errorf("the log says: %s", line)
	}
}
