package etcdstore

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/twinkey/twinkey"
	"github.com/twinkey/twinkey/internal/accounts"
)

func sample() *accounts.Account {
	off := true
	a := &accounts.Account{
		ID:  twinkey.ResourceID{Subscription: "00000000-0000-0000-0000-000000000001", Group: "Gröup", Account: "Acc-1"},
		UID: "0123456789abcdef0123456789abcdef", Kind: "TextAnalytics", Location: "West Europe", SKU: "S0",
		Tags: map[string]string{"a": "b"}, Identity: json.RawMessage(`{"type":["x",{"y":null}],"on":[true,false]}`),
		Properties: accounts.Properties{CustomSubDomainName: "My-Name", DisableLocalAuth: &off, PublicNetworkAccess: accounts.PublicAccessDisabled,
			Other: map[string]json.RawMessage{"n": json.RawMessage(`12`)}},
		Created: accounts.Stamp{By: "who", At: time.Unix(1e9, 0)},
	}
	for i := range a.Slots {
		a.Slots[i] = accounts.Slot{Generation: twinkey.Generation(i + 1), Digest: twinkey.DigestOf(fmt.Sprint(i)), Sealed: []byte{1, 2, 3}}
	}
	return a
}

// Documents as this version writes them are read the fast way, and say the same
// as when they are read whole.
func TestStateIsReadFromWhatIsWritten(t *testing.T) {
	a := sample()
	text, err := encode(a, kept{"later": json.RawMessage(`{"x":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	var r stateReader
	var fast accounts.Account
	if !r.account([]byte(text), &fast) || !reflect.DeepEqual(fast.State(), a.State()) {
		t.Errorf("%s is read as %+v, want %+v", text, fast.State(), a.State())
	}
	a.Properties.NetworkACLs = &accounts.NetworkRules{DefaultAction: accounts.DenyByDefault, IPRules: []string{"10.0.0.0/8"}}
	a.SKU = `"\`
	if text, err = encode(a, nil); err != nil {
		t.Fatal(err)
	}
	got, err := r.read(&mvccpb.KeyValue{Value: []byte(text)})
	if err != nil || !reflect.DeepEqual(got, a.State()) {
		t.Errorf("%s is read as %+v, %v, want %+v", text, got, err, a.State())
	}
}

// The fast way takes nothing that is not JSON, and whatever it takes that
// encoding/json takes too, it reads the same: a gateway must not admit by a
// document what management does not see in it.
func FuzzStateReader(f *testing.F) {
	text, err := encode(sample(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	d := strings.Repeat("ab", 32)
	for _, s := range []string{
		"", "{}", "{", "{}x", "null", "[]", `{"id":{}}`, `{"ID":{"account":"x"}}`, `{"id":{"account":"x","Account":"y"}}`, `{"uid":"a","uid":"b"}`, `{"uid":"a","uiD":"b"}`,
		`{"uid":"\u0061"}`, "{\"uid\":\"\xff\"}", `{"uid":null}`, `{"uid":1}`, `{"kind":"K","sKu":"x"}`, `{"ſku":"x"}`, `{"\u0075id":"x"}`, `{"x":[1,[2,{}]],"y":-1.5e3,"z":[],"w":{}}`, `{"x":[1,]}`, `{"x":[,1]}`, `{"x":01}`, `{"x":{,}}`, `{"x":1,}`,
		` { "slots" : [ { "generation" : 1 , "digest" : "` + d + `" } , { "digest":"` + strings.ToUpper(d) + `","generation":0} ] } `,
		`{"slots":[]}`, `{"slots":[{}]}`, `{"slots":[{},{},{"generation":1}]}`, `{"slots":[{"generation":01},{}]}`, `{"slots":[{"generation":-1},{}]}`, `{"slots":[{"generation":18446744073709551615},{}]}`, `{"slots":[{"digest":"ab"},{}]}`,
		`{"properties":{"disableLocalAuth":true}}`, `{"properties":{"disableLocalAuth":null}}`, `{"properties":{"DisableLocalAuth":true}}`, `{"properties":{"networkAcls":{"defaultAction":"Deny"}}}`, `{"properties":{"publicNetworkAccess":"Disabled"},"properties":{}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var fast, whole accounts.Account
		var r stateReader
		if !r.account([]byte(text), &fast) {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is taken, and is not JSON", text)
		}
		if json.Unmarshal([]byte(text), &whole) == nil && !reflect.DeepEqual(fast.State(), whole.State()) {
			t.Fatalf("%q is read as %+v, want %+v", text, fast.State(), whole.State())
		}
	})
}

func BenchmarkReadState(b *testing.B) {
	a := sample()
	a.Properties.Other = nil
	text, err := encode(a, nil)
	if err != nil {
		b.Fatal(err)
	}
	kv := &mvccpb.KeyValue{Value: []byte(text)}
	b.Run("state", func(b *testing.B) {
		var r stateReader
		for b.Loop() {
			_, _ = r.read(kv)
		}
	})
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			_, _ = readAccount(kv)
		}
	})
}
