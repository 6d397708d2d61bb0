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
		"<html><body>Bad <b>Gate</b>way &amp; more</body></html>":                                       "Bad Gate way & more",
		"<!DOCTYPE HTML PUBLIC \"x\">\r\n<HTML><HEAD><TITLE>t</TITLE></HEAD><BODY><h2>Down</h2></BODY>": "Down",
		"<html><head><title>t</title><style>p{}</style><meta a=b></head><p>a</p><script>b<c</script>d":  "a d",
		"<html><head><title>Blocked</title>":                                                            "Blocked",
		"<html><head><title>t</title><meta><body>b":                                                     "b",
		"<html><title>t</title>b":                                                                       "b",
		"<html><head>h</head>":                                                                          "h",
		"<html><!-- c <p>d --><p title='>'>e</p><br/>f<i":                                               "e f",
		"<html><head>h<base>i</head>b":                                                                  "b",
		"<html><head>h<body>b<i>c</i>d":                                                                 "b c d",
		"<html><head>h</head>b<i>c</i>":                                                                 "b c",
		"<html>a<style>s</style>b<head>h":                                                               "a b",
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
