package main

import (
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// accessible checks what the tab shows in both sizes and both colors: nothing wider than the screen, contrast, the size of
// what is touched, and names for what can have the focus.
func (b *tab) accessible(what string) {
	b.t.Helper()
	for _, size := range []step{phone(), desktop()} {
		b.do(size)
		if over := value[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			b.t.Errorf("%s: at %s the page is %d pixels too wide", what, size.what, over)
		}
		for _, scheme := range []string{"light", "dark"} {
			b.do(colors(scheme))
			for _, found := range value[[]string](b, tooFaint) {
				b.t.Errorf("%s: at %s, in %s: %s", what, size.what, scheme, found)
			}
		}
		for _, found := range value[[]string](b, tooSmall) {
			b.t.Errorf("%s: at %s: %s", what, size.what, found)
		}
		b.named(what)
	}
	b.do(colors("light"))
}

// tooFaint are texts whose contrast is below 4.5.
const tooFaint = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (color, below) => {
    canvas.globalCompositeOperation = "copy";
    canvas.fillStyle = below;
    canvas.fillRect(0, 0, 1, 1);
    canvas.globalCompositeOperation = "source-over";
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
    return "rgb(" + r + "," + g + "," + b + ")";
  };
  const light = (color) => {
    const [r, g, b] = color.match(/\d+/g).map((c) => c / 255).map((c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    const isShown = walker.currentNode.data.trim() && e.checkVisibility({ visibilityProperty: true });
    if (!isShown || e.closest(".unseen, .skip, :disabled, script, noscript")) continue;
    const above = [];
    for (let a = e; a; a = a.parentElement) above.unshift(a);
    const background = above.reduce((below, a) => over(getComputedStyle(a).backgroundColor, below), "rgb(255,255,255)");
    const text = over(getComputedStyle(e).color, background);
    const [low, high] = [light(text), light(background)].sort((a, b) => a - b);
    const ratio = (high + .05) / (low + .05);
    if (ratio < 4.5) found.push(walker.currentNode.data.trim().slice(0, 40) + " has a contrast of " + ratio.toFixed(2));
  }
  return found;
})()`

// tooSmall are things to touch of less than 44 pixels, except for links within a sentence.
const tooSmall = `[...document.querySelectorAll("a[href], button, input, summary")].filter((e) => {
  const { width, height } = e.getBoundingClientRect();
  const inText = e.matches("a") && e.closest("p, footer span");
  return e.checkVisibility() && !inText && !e.matches(".skip") && (height < 44 || width < 44);
}).map((e) => {
  const { width, height } = e.getBoundingClientRect();
  return (e.id || e.className) + " " + e.textContent.slice(0, 20) + " is " + width + " by " + height;
})`

// named checks the names of the accessibility tree, which is what screen readers say.
func (b *tab) named(what string) {
	b.t.Helper()
	tree, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.t.Errorf("%s: the accessibility tree: %v", what, err)
		return
	}
	for _, node := range tree.Nodes {
		if node.Ignored || node.Role == nil {
			continue
		}
		role, name := strings.Trim(string(node.Role.Value), `"`), ""
		if node.Name != nil {
			name = strings.Trim(string(node.Name.Value), `" `)
		}
		needsName := []string{"button", "link", "textbox", "searchbox", "heading", "region", "dialog", "img", "DisclosureTriangle"}
		if slices.Contains(needsName, role) && name == "" {
			b.t.Errorf("%s: a %s has no name", what, role)
		}
	}
}
