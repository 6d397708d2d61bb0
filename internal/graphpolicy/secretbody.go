package graphpolicy

import "net/http"

// hideContentType keeps azcore from logging a body that holds a session link: with body logging on, its log policy
// prints what the content type calls text or JSON, whatever the request.
func (c *Call) hideContentType(resp *http.Response) {
	if value, ok := resp.Header["Content-Type"]; ok {
		c.contentType, c.contentHidden = value, true
		resp.Header["Content-Type"] = []string{"application/octet-stream"}
	}
}

// showContentType undoes hideContentType once the log policy has passed.
func (c *Call) showContentType() {
	if c.contentHidden && c.Response != nil {
		c.Response.Header["Content-Type"] = c.contentType
	}
	c.contentType, c.contentHidden = nil, false
}
