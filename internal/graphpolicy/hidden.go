package graphpolicy

import "net/http"

// hideContentType keeps azcore from logging an answer's body: with body logging on, its log policy prints what the
// content type calls text or JSON.
func (c *Call) hideContentType(resp *http.Response) {
	c.contentType = resp.Header["Content-Type"]
	if c.contentType != nil {
		setHeader(resp, "Content-Type", hiddenContentType)
	}
}

// hiddenContentType stands for the content type of a body while it passes azcore's log policy.
const hiddenContentType = "application/octet-stream"

// restore undoes what the transport hid in the answer, once the answer has passed azcore's log and bearer policies.
func (c *Call) restore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	resp := c.record.Response
	if resp == nil {
		return
	}
	if c.contentType != nil {
		resp.Header["Content-Type"] = c.contentType
	}
	if resp == c.converted {
		resp.StatusCode, resp.Status = http.StatusForbidden, c.forbidden
	}
}
