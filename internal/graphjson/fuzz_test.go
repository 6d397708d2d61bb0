package graphjson_test

import (
	"errors"
	"testing"

	"github.com/go-intune/intune/internal/graphjson"
	"github.com/go-intune/intune/internal/graphjson/graphjsontest"
)

// FuzzPage wants the same rows as encoding/json whenever both accept a page.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		everything,
		`{"value":[{"id":"a","ID":"b","i\u017fSet":true}],"@odata.count":"1"}`,
		`{"value":[null,{"parts":[null,{"place":{"speed":"-INF"},"other":"NaN"}]}]}`,
		`{"VALUE":[{"seen":"0001-01-01T00:00:00+05:00","maybe":null}],"value":null}`,
		`{"value":[{"size":"007","id":"\ud800\u0000` + "\xff" + `"}],"@odata.nextLink":"l"}`,
		`{"value":[{"seen":"2026-08-20T07:08:09.1234567+02:00","secret":"REDACTED","level":"high"}]}`,
		`{"value":[{"part":{"name":"a"},"part":{"count":1}}]}`,
		"\ufeff" + `{"value":[{"names":["a",null,"b"],"raw":null}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		rows, nextLink, err := graphjson.Page[thing](page)
		if err != nil {
			if text := err.Error(); len(text) > 300 {
				t.Errorf("long error: %s", text)
			}
			return
		}
		if err := graphjsontest.ComparePage(page, rows, nextLink); err != nil && !errors.Is(err, graphjsontest.ErrRefused) {
			t.Error(err)
		}
	})
}
