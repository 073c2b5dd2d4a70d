package arm_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// What clients read before they sign in.
func TestMetadata(t *testing.T) {
	h := serve()
	for version, file := range map[string]string{
		"1.0": "stack", "2015-01-01": "stack", "2017-12-01": "stack", "2019-05-01": "list", "2020-06-01": "list",
		"2022-09-01": "object", "2024-05-01": "object", "2026-01-01-preview": "object",
	} {
		r := httptest.NewRequest("GET", "//METADATA/endpoints?API-version="+version, nil)
		r.Host = "attacker.example.net"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var got bytes.Buffer
		if err := json.Indent(&got, w.Body.Bytes(), "", "  "); w.Code != 200 || err != nil {
			t.Fatalf("%s: %d %s", version, w.Code, w.Body)
		}
		got.WriteByte('\n')
		path := filepath.Join("testdata", "metadata-"+file+".json")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || got.String() != string(want) {
			t.Errorf("%s is not as in %s (%v):\n%s", version, path, err, got.String())
		}
	}
	for query, code := range map[string]string{"": "MissingApiVersionParameter", "?api-version=0.9": "InvalidApiVersionParameter"} {
		w := call(t, h, "GET", "/metadata/endpoints"+query, "")
		if got := refusal(t, w); got.Code != code {
			t.Errorf("%q: %+v", query, got)
		}
	}
}
