package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const fullPage = 1000

func pagingFacts() []fact {
	return []fact{
		{
			id: "page-size", source: "reported: microsoftgraph/powershell-intune-samples#2, microsoftgraph/microsoft-graph-docs#6356",
			claim: "A page of devices holds 1000 unless $top says less.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.list(ctx, devicesPath, "$select=id")
				if f != nil {
					return *f
				}
				n, more := len(page.rows()), page.next() != ""
				if !more && n <= fullPage {
					return p.notTried("the tenant has %d devices", n)
				}
				return p.judge(n == fullPage, "devices on the first page: %d; next link: %t", n, more)
			},
		},
		{
			id: "page-top", source: docsPaging,
			claim: "$top=1 gives a page of one device, with a next link if there are more.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.severalDevices(ctx, "$select=id&$top=1")
				if f != nil {
					return *f
				}
				return p.judge(len(page.rows()) == 1 && page.next() != "", "devices: %d; next link: %t", len(page.rows()), page.next() != "")
			},
		},
		{
			id: "page-top-limit", source: "inferred: no larger page was reported",
			claim: "$top above 1000 gives no larger page.",
			check: func(ctx context.Context, p *probe) finding {
				a := p.wire.get(ctx, devicesPath+"?$select=id&$top=1001")
				n := len(a.record().rows())
				switch {
				case a.mute():
					return p.notTried("%s", p.describe(a))
				case a.status == http.StatusOK && n <= fullPage && a.record().next() == "":
					return p.notTried("the tenant has %d devices", n)
				default:
					return p.judge(n <= fullPage, "devices: %d; %s", n, p.describe(a))
				}
			},
		},
		{
			id: "page-count", source: "reported: public samples of answers",
			claim: "@odata.count comes unasked, and is the length of the page, not of the list.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.severalDevices(ctx, "$select=id&$top=1")
				if f != nil {
					return *f
				}
				return p.judge(page.count() == 1, "count with a page of one: %d (-1 if there is none)", page.count())
			},
		},
		{
			id: "page-link", source: docsPaging + "; https://github.com/microsoftgraph/msgraph-sdk-design, tasks/PageIteratorTask.md",
			claim: "A next link leads to the same https address with a $skiptoken.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.severalDevices(ctx, "$select=id&$top=1")
				if f != nil {
					return *f
				}
				link, err := url.Parse(page.next())
				if page.next() == "" || err != nil {
					return p.contradicted("no next link that is a URL")
				}
				here := p.wire.owns(page.next()) && strings.HasSuffix(strings.ToLower(link.Path), strings.ToLower(devicesPath))
				token := strings.Contains(strings.ToLower(link.RawQuery), "skiptoken=")
				return p.judge(here && token, "the same address: %t; $skiptoken: %t", here, token)
			},
		},
		{
			id: "page-follow", source: docsPaging,
			claim: "A next link, followed exactly as given, leads to other devices.",
			check: checkFollow,
		},
		{
			id: "page-skip", source: "reported: microsoftgraph/msgraph-beta-sdk-dotnet#681",
			claim: "$skip has no effect on the list of devices.",
			check: func(ctx context.Context, p *probe) finding {
				with, f := p.severalDevices(ctx, "$select=id&$top=1&$skip=1")
				if f != nil {
					return *f
				}
				return p.sameFirst(ctx, with, "$select=id&$top=1&$skip=0")
			},
		},
		{
			id: "page-orderby", source: "inferred: no documented support",
			claim: "$orderby has no effect on the list of devices.",
			check: func(ctx context.Context, p *probe) finding {
				up, f := p.severalDevices(ctx, "$select=id&$top=1&$orderby=deviceName%20asc")
				if f != nil {
					return *f
				}
				return p.sameFirst(ctx, up, "$select=id&$top=1&$orderby=deviceName%20desc")
			},
		},
		{
			id: "option-encoded", source: "reported: microsoftgraph/microsoft-graph-docs-contrib#658, against " +
				"https://github.com/microsoftgraph/msgraph-sdk-design, middleware/ParametersNameDecodingHandler.md",
			claim: "The service understands an option whose $ is encoded, such as %24top.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.severalDevices(ctx, "%24select=id&%24top=2")
				if f != nil {
					return *f
				}
				n := len(page.rows())
				return p.judge(n > 0 && n <= 2, "devices with %%24top=2: %d", n)
			},
		},
		{
			id: "count-segment", source: "inferred: the test kit does so",
			claim: "The segment $count below the list of devices answers 400.",
			check: func(ctx context.Context, p *probe) finding {
				a := p.wire.get(ctx, devicesPath+"/$count")
				if n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(string(a.body), "\ufeff"))); err == nil {
					return p.contradicted("HTTP %d with a number: %d", a.status, n) // which is no JSON object
				}
				return p.refused(a, http.StatusBadRequest)
			},
		},
	}
}

// severalDevices reads a page of a tenant with two devices or more.
func (p *probe) severalDevices(ctx context.Context, query string) (record, *finding) {
	rows, f := p.devices(ctx)
	if f != nil {
		return nil, f
	}
	if len(rows) < 2 {
		few := p.notTried("the tenant has only one device")
		return nil, &few
	}
	return p.list(ctx, devicesPath, query)
}

func (p *probe) sameFirst(ctx context.Context, page record, query string) finding {
	other, f := p.list(ctx, devicesPath, query)
	if f != nil {
		return *f
	}
	if len(page.rows()) == 0 || len(other.rows()) == 0 {
		return p.contradicted("devices: %d and %d", len(page.rows()), len(other.rows()))
	}
	one, two := page.rows()[0].text("id"), other.rows()[0].text("id")
	return p.judge(strings.EqualFold(one, two), "the first device: %s and %s", one, two)
}

func checkFollow(ctx context.Context, p *probe) finding {
	first, f := p.severalDevices(ctx, "$select=id&$top=1")
	if f != nil {
		return *f
	}
	link := first.next()
	if link == "" {
		return p.notTried("there is no next link")
	}
	second, f := p.object(p.wire.follow(ctx, link))
	if f != nil {
		return *f
	}
	again := 0
	for _, row := range second.rows() {
		again += count(first.rows(), "id", row.text("id"))
	}
	return p.judge(again == 0, "devices on the second page: %d, of them on the first: %d", len(second.rows()), again)
}
