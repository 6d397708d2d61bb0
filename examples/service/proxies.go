package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// proxies are those in front of the service, and the header in which they say for whom they call.
type proxies struct {
	networks []netip.Prefix
	header   string // X-Forwarded-For or Forwarded
}

// read takes a list of networks and addresses, separated by commas.
func (p *proxies) read(list string) error {
	switch http.CanonicalHeaderKey(p.header) {
	case "X-Forwarded-For", "Forwarded":
	default:
		return errors.New("-proxy-header should be X-Forwarded-For or Forwarded")
	}
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		network, err := netip.ParsePrefix(text)
		if address, e := netip.ParseAddr(text); e == nil {
			network, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return fmt.Errorf("-trusted-proxy should list networks or addresses, such as 10.0.0.0/24,127.0.0.1: %w", err)
		}
		if mapped := network.Addr(); mapped.Is4In6() && network.Bits() >= 96 {
			network = netip.PrefixFrom(mapped.Unmap(), network.Bits()-96)
		}
		p.networks = append(p.networks, network.Masked())
	}
	return nil
}

func (p *proxies) trust(address netip.Addr) bool {
	return slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(address) })
}

// client is the address of whoever sent the request: the last one in the header that is no proxy of ours. What is before it
// was written by the client itself, and so is the whole header if the request did not come through a proxy of ours.
func (p *proxies) client(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	client := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values(p.header), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !p.trust(client) {
			break
		}
		before, ok := readHop(hop)
		if !ok {
			break
		}
		client = before
	}
	return client.String()
}

// readHop reads an address as X-Forwarded-For has it, or an element of Forwarded (RFC 7239).
func readHop(text string) (netip.Addr, bool) {
	for part := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(part, "="); ok && strings.EqualFold(strings.TrimSpace(name), "for") {
			text = value
		}
	}
	text = strings.Trim(strings.TrimSpace(text), `"`)
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if with, e := netip.ParseAddrPort(text); e == nil {
		address, err = with.Addr(), nil
	}
	return address.Unmap().WithZone(""), err == nil
}
