package arm_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"testing"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/arm"
)

// kinds counts the kinds of error that the product has, in its source.
func kinds(t *testing.T) int {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			n += len(g.Specs)
		}
	}
	return n
}

// Every kind of error has a place in the table: one that has none would reach
// callers as a fault of the server.
func TestEveryKindHasAStatus(t *testing.T) {
	n := kinds(t)
	if n < int(twinkey.InvalidAPIVersion)+1 {
		t.Fatalf("%d kinds found in the source", n)
	}
	for kind := twinkey.Internal + 1; int(kind) < n; kind++ {
		status, code := arm.StatusOf(twinkey.Errorf(kind, "x"))
		if status == http.StatusInternalServerError || status < 400 || code == "" || code == "InternalServerError" {
			t.Errorf("kind %d: %d %s", kind, status, code)
		}
	}
	for _, err := range []error{errors.New("x"), twinkey.Errorf(twinkey.Internal, "x"), twinkey.Errorf(twinkey.Kind(n), "x")} {
		if status, code := arm.StatusOf(err); status != http.StatusInternalServerError || code != "InternalServerError" {
			t.Errorf("%#v: %d %s", err, status, code)
		}
	}
}
