package intune

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/graphjson"
)

func TestDecodePageThatBreaksOff(t *testing.T) {
	t.Parallel()
	page := fullPage(3)
	whole, _, err := graphjson.Page[ManagedDevice](page)
	if err != nil {
		t.Fatal(err)
	}
	page = []byte(strings.TrimSpace(string(page)))
	rows := make(map[int]int)
	for end := range page {
		if end%5 != 0 && end < len(page)-8 {
			continue // a fifth of the places is enough, but for the end
		}
		devices, _, err := graphjson.Page[ManagedDevice](page[:end])
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: %v", end, err)
		}
		for i, device := range devices {
			if device.ID != whole[i].ID || device.WiFiMACAddress != whole[i].WiFiMACAddress {
				t.Fatalf("cut at %d: device %d is not whole", end, i)
			}
		}
		rows[len(devices)]++
	}
	if len(rows) != 4 {
		t.Errorf("cuts gave %v devices", rows)
	}
}

func TestDecodedTextDoesNotReferToThePage(t *testing.T) {
	t.Parallel()
	page := fullPage(2)
	devices, nextLink, err := graphjson.Page[ManagedDevice](page)
	if err != nil {
		t.Fatal(err)
	}
	before := string(asJSON(devices)) + nextLink
	for i := range page {
		page[i] = 'X'
	}
	if string(asJSON(devices))+nextLink != before {
		t.Error("the devices changed with the page")
	}
}

func TestDecodeIgnoresTheCaseOfEveryName(t *testing.T) {
	t.Parallel()
	var page any
	if err := json.Unmarshal(fullPage(2), &page); err != nil {
		t.Fatal(err)
	}
	var shout func(value any) any
	shout = func(value any) any {
		switch value := value.(type) {
		case map[string]any:
			loud := map[string]any{}
			for name, member := range value {
				loud[strings.ToUpper(name)] = shout(member)
			}
			return loud
		case []any:
			for i := range value {
				value[i] = shout(value[i])
			}
		}
		return value
	}
	want, _, err := graphjson.Page[ManagedDevice](asJSON(page))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := graphjson.Page[ManagedDevice](asJSON(shout(page)))
	if err != nil || !bytes.Equal(asJSON(got), asJSON(want)) {
		t.Errorf("%v\n got %s\nwant %s", err, asJSON(got), asJSON(want))
	}
	if apps, _, err := graphjson.Page[DetectedApp]([]byte(`{"value":[{"SIZEINBYTE":5}]}`)); err != nil || apps[0].SizeInByte != 5 {
		t.Errorf("got %v, %v", apps, err)
	}
}

func TestDecodeAllocations(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	page := fullPage(200)
	least := math.Inf(1) // of several, since goroutines of other tests may still end
	for range 5 {
		least = min(least, testing.AllocsPerRun(1, func() {
			if _, _, err := graphjson.Page[ManagedDevice](page); err != nil {
				t.Fatal(err)
			}
		})/200)
	}
	if least > 18 {
		t.Errorf("%.1f allocations for each device, want at most 18", least)
	}
}

func TestDecodeDetectedAppPage(t *testing.T) {
	t.Parallel()
	apps, nextLink, err := graphjson.Page[DetectedApp]([]byte(`{"@odata.count":2,"value":[
		{"id":"0f","displayName":"A","version":"1","sizeInByte":"12","deviceCount":"3","publisher":"P","platform":"windows","x":1},
		{"id":"1f","sizeInByte":13,"deviceCount":4,"platform":"newPlatform","displayName":null}],"@odata.nextLink":"l"}`))
	want := []DetectedApp{
		{"0f", "A", "1", 12, 3, "P", DetectedAppPlatformTypeWindows},
		{ID: "1f", SizeInByte: 13, DeviceCount: 4, Platform: "newPlatform"},
	}
	if err != nil || nextLink != "l" || !reflect.DeepEqual(apps, want) {
		t.Errorf("got %+v, %q, %v", apps, nextLink, err)
	}
	if _, _, err := graphjson.Page[DetectedApp]([]byte(`{"value":[{"deviceCount":1e3}]}`)); err == nil || !strings.Contains(err.Error(), "value[0].deviceCount") {
		t.Errorf("error %v", err)
	}
}
