package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// languageModel starts a little service with the paths of a model's server, and
// sets MODEL to its URL. It refuses calls that carry a credential, since none of
// the gateway's may reach it.
func languageModel(ts *testscript.TestScript, neg bool, args []string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Ocp-Apim-Subscription-Key")+r.Header.Get("Api-Key")+r.Header.Get("Authorization") != "":
			http.Error(w, "a credential came through", http.StatusInternalServerError)
		case r.URL.Path == "/v1/models":
			fmt.Fprintln(w, `{"object":"list","data":[{"id":"little"}]}`)
		case r.URL.Path == "/v1/chat/completions":
			fmt.Fprintln(w, `{"choices":[{"message":{"content":"hello"}}]}`)
		case strings.HasPrefix(r.URL.Path, "/v1/audio/"):
			file, header, err := r.FormFile("file")
			if err != nil || header.Size != 44+32000 || file.Close() != nil {
				http.Error(w, "not one second of sound", http.StatusBadRequest)
				return
			}
			fmt.Fprintln(w, `{"text":""}`)
		default:
			http.NotFound(w, r)
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv("MODEL", server.URL)
}
