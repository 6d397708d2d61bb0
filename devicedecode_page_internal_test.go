package intune

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

func TestDecodePageEnvelope(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		json     string
		devices  int
		nextLink string
		count    int
		problem  string
	}{
		"empty":            {json: `{"value":[]}`},
		"empty, more":      {json: `{"value":[],"@odata.nextLink":"l"}`, nextLink: "l"},
		"only a next link": {json: `{"@odata.nextLink":"l"}`, nextLink: "l"},
		"null value":       {json: `{"value":null,"@odata.nextLink":null,"@odata.count":null}`},
		"count as text":    {json: `{"@odata.count":"7","value":[{}]}`, devices: 1, count: 7},
		"count after":      {json: `{"value":[{},{}],"@odata.count":2}`, devices: 2, count: 2},
		"lying count":      {json: `{"@odata.count":2147483647,"value":[{}]}`, devices: 1, count: math.MaxInt32},
		"negative count":   {json: `{"@odata.count":-5,"value":[{}]}`, devices: 1, count: -5},
		"null rows":        {json: `{"value":[null,{"id":"a"},null]}`, devices: 1},
		"capitals":         {json: `{"Value":[{}],"@OData.NextLink":"l","@ODATA.COUNT":1}`, devices: 1, nextLink: "l", count: 1},
		"value twice":      {json: `{"value":[{},{}],"value":[{}]}`, devices: 1},
		"byte-order mark":  {json: "\ufeff" + `{"value":[{}]}`, devices: 1},
		"escaped link":     {json: `{"value":[],"@odata.nextLink":"https:\/\/h\/?$skiptoken=a%27b&c"}`, nextLink: "https://h/?$skiptoken=a%27b&c"},
		"no page":          {json: `{"error":{"code":"x"}}`, problem: "no page"},
		"null":             {json: `null`, problem: "want an object"},
		"array":            {json: `[]`, problem: "want an object"},
		"object as value":  {json: `{"value":{"id":"a"}}`, problem: "value is an object, want an array"},
		"number as link":   {json: `{"value":[{}],"@odata.nextLink":5}`, devices: 1, problem: "@odata.nextLink is a number, want text"},
		"bad row":          {json: `{"@odata.nextLink":"l","value":[{"id":"a"},{"id":5},{"id":"b"}]}`, devices: 1, nextLink: "l", problem: "value[1].id is a number, want text"},
		"two pages":        {json: `{"value":[{}]}{"value":[]}`, devices: 1, problem: "followed by more"},
		"too many rows":    {json: `{"value":[` + strings.Repeat("{},", maxRows) + `{}]}`, devices: maxRows, problem: "too many rows"},
		"too many results": {json: `{"value":[{"deviceActionResults":[` + strings.Repeat("{},", maxActionResults) + `{}]}]}`, problem: "too many action results"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devices, nextLink, count, err := decodeDevicePage([]byte(test.json))
			if len(devices) != test.devices || nextLink != test.nextLink || count != test.count {
				t.Errorf("%d devices, next link %q, count %d", len(devices), nextLink, count)
			}
			if test.problem == "" && err != nil || test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
				t.Errorf("error %v, want %q", err, test.problem)
			}
		})
	}
}

func TestDecodePageThatBreaksOff(t *testing.T) {
	t.Parallel()
	page := fullPage(3)
	whole, _, _, err := decodeDevicePage(page)
	if err != nil {
		t.Fatal(err)
	}
	page = []byte(strings.TrimSpace(string(page)))
	rows := make(map[int]int)
	for end := range page {
		if end%5 != 0 && end < len(page)-8 {
			continue // a fifth of the places is enough, but for the end
		}
		devices, _, _, err := decodeDevicePage(page[:end])
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
	devices, nextLink, _, err := decodeDevicePage(page)
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
	want, _, _, err := decodeDevicePage(asJSON(page))
	if err != nil {
		t.Fatal(err)
	}
	got, _, _, err := decodeDevicePage(asJSON(shout(page)))
	if err != nil || !bytes.Equal(asJSON(got), asJSON(want)) {
		t.Errorf("%v\n got %s\nwant %s", err, asJSON(got), asJSON(want))
	}
	if apps, _, _, err := decodeDetectedAppPage([]byte(`{"value":[{"SIZEINBYTE":5}]}`)); err != nil || apps[0].SizeInByte != 5 {
		t.Errorf("got %v, %v", apps, err)
	}
}

func TestDecodeSharesRepeatedText(t *testing.T) {
	t.Parallel()
	devices, _, _, err := decodeDevicePage(listPage(100))
	if err != nil {
		t.Fatal(err)
	}
	distinct := map[*byte]bool{}
	for _, device := range devices {
		distinct[unsafe.StringData(device.Manufacturer)] = true
		distinct[unsafe.StringData(string(device.ComplianceState))] = true
	}
	if len(distinct) > 4+3 {
		t.Errorf("%d strings for 4 makers and 3 states", len(distinct))
	}
	words := new(wordCache)
	for i := range 10_000 {
		text := strings.Repeat("x", i%200) + strconv.Itoa(i)
		if got := words.get([]byte(text)); got != text {
			t.Fatalf("got %s, want %s", got, text)
		}
	}
}

func TestDecodeAllocations(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	page := fullPage(200)
	perDevice := testing.AllocsPerRun(3, func() {
		if _, _, _, err := decodeDevicePage(page); err != nil {
			t.Fatal(err)
		}
	}) / 200
	if perDevice > 16 {
		t.Errorf("%.1f allocations for each device, want at most 16", perDevice)
	}
}

func TestDecodeDetectedAppPage(t *testing.T) {
	t.Parallel()
	apps, nextLink, count, err := decodeDetectedAppPage([]byte(`{"@odata.count":2,"value":[
		{"id":"0f","displayName":"A","version":"1","sizeInByte":"12","deviceCount":"3","publisher":"P","platform":"windows","x":1},
		{"id":"1f","sizeInByte":13,"deviceCount":4,"platform":"newPlatform","displayName":null}],"@odata.nextLink":"l"}`))
	want := []DetectedApp{
		{"0f", "A", "1", 12, 3, "P", DetectedAppPlatformTypeWindows},
		{ID: "1f", SizeInByte: 13, DeviceCount: 4, Platform: "newPlatform"},
	}
	if err != nil || nextLink != "l" || count != 2 || !reflect.DeepEqual(apps, want) {
		t.Errorf("got %+v, %q, %d, %v", apps, nextLink, count, err)
	}
	if _, _, _, err := decodeDetectedAppPage([]byte(`{"value":[{"deviceCount":1e3}]}`)); err == nil || !strings.Contains(err.Error(), "value[0].deviceCount") {
		t.Errorf("error %v", err)
	}
}
