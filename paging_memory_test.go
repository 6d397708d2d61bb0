package intune_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// A pager that knows which links it has followed keeps no link, since one can be as long as an answer may be.
func TestFollowedLinksAreNotKept(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	const pages, length = 40, 256 << 10
	filler := strings.Repeat("x", length)
	asked := 0
	client := newClient(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		asked++
		return answer(req, http.StatusOK, nil, pageOf(fmt.Sprintf("https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=%d%s", asked, filler))), nil
	}))
	pager := client.NewListDevicesPager(intune.AllDevices(), nil)
	before := 0
	for page := range pages {
		if _, err := pager.NextPage(t.Context()); err != nil {
			t.Fatal(err)
		}
		if page == 1 {
			before = heap()
		}
	}
	grown := heap() - before
	runtime.KeepAlive(pager)
	if grown > pages*length/4 || asked != pages {
		t.Errorf("the heap grew by %d bytes after %d pages", grown, asked)
	}
}
