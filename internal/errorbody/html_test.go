package errorbody_test

import (
	"strings"
	"testing"

	"github.com/go-intune/intune/internal/errorbody"
	"github.com/go-intune/intune/internal/redact"
)

func TestPages(t *testing.T) {
	t.Parallel()
	behind := func(n int) string { return "<" + strings.Repeat("x", n) + "<html>a" }
	for page, want := range map[string]string{
		"<html><body>Bad <b>Gate</b>way &amp; more</body></html>":                                       "Bad Gateway & more",
		"<!DOCTYPE HTML PUBLIC \"x\">\r\n<HTML><HEAD><TITLE>t</TITLE></HEAD><BODY><h2>Down</h2></BODY>": "Down",
		"<html><head><title>t</title><style>p{}</style><meta a=b></head><p>a</p><script>b<c</script>d":  "a d",
		"<html><head><title>Blocked</title>":                                                            "Blocked",
		"<html><head><title>t</title><meta><body>b":                                                     "b",
		"<html><title>t</title>b":                                                                       "b",
		"<html><head>h</head>":                                                                          "h",
		"<html><!-- c <p>d --><p title='>'>e</p><br/>f<i":                                               "e f",
		"<html><head>h<base>i</head>b":                                                                  "b",
		"<html><head>h<body>b<i>c</i>d":                                                                 "bcd",
		"<html><head>h</head>b<i>c</i>":                                                                 "bc",
		"<html>a<style>s</style>b<head>h":                                                               "ab",
		"  <html><script>x</script>":                                                                    "",
		"<p>no page</p>":                                                                                "<p>no page</p>",
		"text <html>":                                                                                   "text <html>",
		"<html><head><title>t</title><noscript>n</noscript></head><body></body>":                        "t n",
		behind(1018): "a",
		behind(1019): behind(1019),
		behind(1024): behind(1024),
	} {
		if got := errorbody.Parse([]byte(page), redact.Private{}).Message; got != want {
			t.Errorf("%q gives %q, want %q", page, got, want)
		}
	}
}

// A browser shows a word that markup is within as one word, so a name is hidden there too.
func TestPagesThatPartAName(t *testing.T) {
	t.Parallel()
	private := redact.Of("", "anna.schmidt@contoso.com")
	for _, name := range []string{
		"anna<wbr>.schmidt@contoso.com", "<b>anna</b>.schmidt@contoso.com", "anna.schmidt<!-- x -->@contoso.com",
		"anna.schmidt<img src=x>@contoso.com", "anna.schmidt<script>x</script>@contoso.com", "anna.schmidt<?x?>@contoso.com",
		"<unknown-one>anna.</unknown-one>schmidt@contoso.com", "anna.schmidt<wbr/>&#64<span title='>'>contoso</span>.com",
	} {
		for page, want := range map[string]string{
			"<html><body><p>No</p>" + name + "<br>here":             "No REDACTED here",
			"<html><table><td>No<td>" + name + "<tr><th>here":       "No REDACTED here",
			"<html><ul><li>No</li><li>" + name + "</li>here":        "No REDACTED here",
			"<html><h1>No</h1>" + name + "<div>he</div>re":          "No REDACTED he re",
			"<html><head>" + name + "<title>No</title></head>":      "REDACTED No",
			"<html><body>No\r\n" + name + "<hr/>here<span>!</span>": "No REDACTED here!",
		} {
			if got := errorbody.Parse([]byte(page), private).Message; got != want {
				t.Errorf("%q gives %q, want %q", page, got, want)
			}
		}
	}
}
