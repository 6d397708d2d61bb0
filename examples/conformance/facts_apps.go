package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// appSample is a detected app that was found on devices, and one of these.
type appSample struct {
	app, device string
	problem     *finding
}

func appFacts() []fact {
	return []fact{
		{
			id: "apps-skip", source: "reported: public clients",
			claim: "The list of detected apps pages by $skip: its next link has one.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.list(ctx, appsPath, "$top=1")
				switch {
				case f != nil:
					return *f
				case page.next() == "":
					return p.notTried("apps: %d", len(page.rows()))
				}
				link := strings.ToLower(page.next())
				has := strings.Contains(link, "skip=") && !strings.Contains(link, "skiptoken=")
				return p.judge(has, "$skip in the next link: %t", has)
			},
		},
		{
			id: "apps-count", source: "reported: public clients",
			claim: "The @odata.count of detected apps is that of the list, not of the page.",
			check: func(ctx context.Context, p *probe) finding {
				page, f := p.list(ctx, appsPath, "$top=1")
				switch {
				case f != nil:
					return *f
				case page.next() == "":
					return p.notTried("apps: %d", len(page.rows()))
				}
				return p.judge(page.count() > 1, "count with a page of one: %d (-1 if there is none)", page.count())
			},
		},
		{
			id: "apps-filter", source: "reported: public clients",
			claim: "The service applies $filter=contains(displayName,…) to detected apps: none is left for a name that no app has.",
			check: func(ctx context.Context, p *probe) finding {
				all, f := p.list(ctx, appsPath, "$top=1")
				switch {
				case f != nil:
					return *f
				case len(all.rows()) == 0:
					return p.notTried("the tenant has no detected app")
				}
				page, f := p.list(ctx, appsPath, "$filter=contains(displayName,"+quoted(nobody)+")&$top=1")
				if f != nil {
					return *f
				}
				return p.judge(len(page.rows()) == 0, "apps: %d", len(page.rows()))
			},
		},
		{
			id: "app-hollow", source: "reported: microsoftgraph/microsoft-graph-docs#13645",
			claim: "A GET of one detected app gives no name and a deviceCount of 0, unlike the list.",
			check: func(ctx context.Context, p *probe) finding {
				s := p.appSample(ctx)
				if s.app == "" {
					return *s.problem
				}
				r, f := p.object(p.wire.get(ctx, appPath(s.app)))
				if f != nil {
					return *f
				}
				named, counted := r.filled("displayName"), r.filled("deviceCount")
				return p.judge(!named && !counted, "a name: %t; a count: %t", named, counted)
			},
		},
		{
			id: "app-expand", source: "reported: microsoftgraph/microsoft-graph-docs#18963",
			claim: "$expand=managedDevices gives the devices in a GET of one detected app, and none in the list.",
			check: checkExpand,
		},
		{
			id: "app-devices", source: "documented: https://learn.microsoft.com/graph/api/intune-devices-manageddevice-list",
			claim: "The devices below a detected app can be listed.",
			check: func(ctx context.Context, p *probe) finding {
				s := p.appSample(ctx)
				if s.app == "" {
					return *s.problem
				}
				page, f := p.list(ctx, appPath(s.app)+"/managedDevices", "")
				if f != nil {
					return *f
				}
				return p.judge(len(page.rows()) > 0, "devices: %d", len(page.rows()))
			},
		},
		{
			id: "app-devices-thin", source: "inferred: public clients ask for id and deviceName only",
			claim: "A device in that list lacks properties that it has itself, such as the serial number.",
			check: checkThin,
		},
		{
			id: "app-device-refused",
			source: "reported, against its documentation: microsoftgraph/microsoft-graph-docs#14262, " +
				"microsoftgraph/microsoft-graph-docs-contrib#2981",
			claim: "A GET of one device below a detected app answers 400, without a route.",
			check: func(ctx context.Context, p *probe) finding {
				s := p.appSample(ctx)
				if s.device == "" {
					return *s.problem
				}
				a := p.wire.get(ctx, appPath(s.app)+"/managedDevices/"+url.PathEscape(s.device))
				if a.mute() {
					return p.notTried("%s", p.describe(a))
				}
				e := a.graphError()
				said := strings.Contains(e.Code+e.Message, "route")
				return p.judge(a.status == http.StatusBadRequest && said, "%s", p.describe(a))
			},
		},
	}
}

func appPath(id string) string { return appsPath + "/" + url.PathEscape(id) }

// appSample finds an app with the device of -device, or, if that was not given, with any. A few of the tenant's many apps
// are tried, because Intune throttles these lists early.
func (p *probe) appSample(ctx context.Context) *appSample {
	if p.apps != nil {
		return p.apps
	}
	p.apps = &appSample{}
	none := p.notTried("no detected app with the device is known; -app can name one")
	p.apps.problem = &none
	var candidates []string
	if p.options.app != "" {
		candidates = []string{p.options.app}
	} else {
		page, f := p.list(ctx, appsPath, "$top=50")
		if f != nil {
			p.apps.problem = f
			return p.apps
		}
		for _, row := range page.rows() {
			if row.filled("deviceCount") && len(candidates) < 10 {
				candidates = append(candidates, row.text("id"))
			}
		}
	}
	for _, app := range candidates {
		page, f := p.list(ctx, appPath(app)+"/managedDevices", "$select=id,deviceName")
		if f != nil {
			// The list is a fact of its own; the others can do with the app.
			p.apps.app = app
			continue
		}
		for _, row := range page.rows() {
			if p.options.device == "" || strings.EqualFold(row.text("id"), p.options.device) {
				p.apps.app, p.apps.device = app, row.text("id")
				return p.apps
			}
		}
	}
	if p.apps.app == "" && len(candidates) > 0 {
		p.apps.app = candidates[0]
	}
	return p.apps
}

func checkExpand(ctx context.Context, p *probe) finding {
	s := p.appSample(ctx)
	if s.device == "" {
		return *s.problem
	}
	one, f := p.object(p.wire.get(ctx, appPath(s.app)+"?$expand=managedDevices"))
	if f != nil {
		return *f
	}
	page, f := p.list(ctx, appsPath, "$expand=managedDevices&$top=50")
	if f != nil {
		return *f
	}
	inOne, _ := one["managedDevices"].([]any)
	inList := 0
	for _, row := range page.rows() {
		devices, _ := row["managedDevices"].([]any)
		inList += len(devices)
	}
	return p.judge(len(inOne) > 0 && inList == 0, "devices in the GET: %d; in the list: %d", len(inOne), inList)
}

func checkThin(ctx context.Context, p *probe) finding {
	s := p.appSample(ctx)
	if s.device == "" {
		return *s.problem
	}
	whole, f := p.object(p.wire.get(ctx, devicePath(s.device)))
	if f != nil {
		return *f
	}
	page, f := p.list(ctx, appPath(s.app)+"/managedDevices", "")
	if f != nil {
		return p.notTried("%s", f.seen) // the list is a fact of its own
	}
	for _, row := range page.rows() {
		if !strings.EqualFold(row.text("id"), s.device) {
			continue
		}
		has, lacks := 0, 0
		for _, name := range []string{"serialNumber", "userPrincipalName", "manufacturer", "model"} {
			if !whole.filled(name) {
				continue
			}
			if has++; !row.filled(name) {
				lacks++
			}
		}
		if has == 0 {
			return p.notTried("the device itself has none of the properties")
		}
		return p.judge(lacks > 0, "of %d properties of the device, missing below the app: %d", has, lacks)
	}
	return p.notTried("the device is not on the first page")
}
