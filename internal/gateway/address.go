package gateway

import (
	"net/netip"
	"strings"
)

// forwardedFor is the header proxies append the peer's address to.
const forwardedFor = "X-Forwarded-For"

// clientAddress is where a call comes from: the peer, or, behind proxies that
// are trusted, the last address in X-Forwarded-For that is not one of them.
func clientAddress(peer netip.Addr, forwarded []string, trusted []netip.Prefix) netip.Addr {
	if len(trusted) == 0 || !within(peer, trusted) {
		return peer
	}
	client := peer
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what is beyond cannot be relied on
		}
		client = hop.Unmap()
		if !within(client, trusted) {
			break
		}
	}
	return client
}

// peerAddress reads an address as net.Conn gives it.
func peerAddress(remote string) netip.Addr {
	address, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr().Unmap().WithZone("")
}

func within(a netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
