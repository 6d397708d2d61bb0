package pages_test

import (
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/pages"
)

func TestTrail(t *testing.T) {
	t.Parallel()
	var trail pages.Trail
	long := strings.Repeat("a", 1<<20)
	for i, c := range []struct {
		link string
		want bool
	}{
		{"https://graph.microsoft.com/v1.0/x?$skiptoken=a", true},
		{"https://graph.microsoft.com/v1.0/x?$skiptoken=b", true},
		{"https://graph.microsoft.com/v1.0/x?$skiptoken=A", true}, // a skip token is opaque
		{"https://graph.microsoft.com/v1.0/x?$skiptoken=a", false},
		{"https://graph.microsoft.com/v1.0/x?$skiptoken=b", false},
		{"", true},
		{"", false},
		{long + "1", true},
		{long + "2", true},
		{long + "1", false},
	} {
		if got := trail.Add(c.link); got != c.want {
			t.Errorf("link %d: new is %v, want %v", i, got, c.want)
		}
	}
	var other pages.Trail
	if !other.Add("") {
		t.Error("another trail knows the links of the first")
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	const (
		guid  = "705c034c-034c-705c-4c03-5c704c035c70"
		other = "705c034c-034c-705c-4c03-5c704c035c71"
	)
	var ids pages.IDs
	for i, c := range []struct {
		id   string
		want bool
	}{
		{guid, true},
		{guid, false},
		{strings.ToUpper(guid), false},
		{other, true},
		{other, false},
		{"{" + guid + "}", true}, // another text is another id, even if a parser of GUIDs knows it
		{"{" + strings.ToUpper(guid) + "}", false},
		{"urn:uuid:" + guid, true},
		{strings.ReplaceAll(guid, "-", ""), true},
		{strings.Replace(guid, "7", "g", 1), true}, // as long as a GUID
		{strings.Replace(guid, "7", "G", 1), false},
		{strings.Replace(guid, "7", "h", 1), true},
		{"App-1", true},
		{"aPP-1", false},
		{"ÄPP-1", true},
		{"äpp-1", false},
		{" App-1", true},
		{"", true},
		{"", true},
	} {
		if got := ids.Add(c.id); got != c.want {
			t.Errorf("%d, %q: new is %v, want %v", i, c.id, got, c.want)
		}
	}
}

// A listing may have a million devices, most of which come once: their GUIDs are kept without their texts.
func TestIDs_KeepsNoTextOfGUIDs(t *testing.T) { //nolint:paralleltest // it measures
	const guid = "705C034C-034C-705C-4C03-5C704C035C70"
	var ids pages.IDs
	ids.Add(guid)
	if n := testing.AllocsPerRun(100, func() { ids.Add(guid) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzIDs compares with a set of texts in lower case.
func FuzzIDs(f *testing.F) {
	f.Add("a\nA\n\n\n705c034c-034c-705c-4c03-5c704c035c70\n705C034C-034C-705C-4C03-5C704C035C70\n{705c034c-034c-705c-4c03-5c704c035c70}")
	f.Add("705c034c0034c0705c04c0305c704c035c70\nurn:uuid:705c034c-034c-705c-4c03-5c704c035c70\n705c034c034c705c4c035c704c035c70")
	f.Add("K\nk\n\u212a\n\u0130\ni\u0307\n\xff\n\xfe")
	f.Fuzz(func(t *testing.T, text string) {
		var ids pages.IDs
		seen := map[string]bool{}
		for id := range strings.SplitSeq(text, "\n") {
			folded := strings.ToLower(id)
			want := id == "" || !seen[folded]
			seen[folded] = true
			if got := ids.Add(id); got != want {
				t.Fatalf("%q in %q: new is %v", id, text, got)
			}
		}
	})
}
