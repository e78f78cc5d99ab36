package notify

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
)

// Guard decides which addresses may be reached. It looks at the address that a
// connection is made to, after names are resolved and redirects followed, so
// that no name leads past it. A nil Guard lets only public addresses through.
type Guard struct {
	all     bool
	allowed []netip.Prefix
}

// ParseGuard reads which private addresses may be reached: "" for none, "all",
// or addresses and CIDR ranges divided by commas.
func ParseGuard(text string) (*Guard, error) {
	g := &Guard{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		switch addr, err := netip.ParseAddr(part); {
		case part == "":
		case part == "all":
			g.all = true
		case err == nil:
			addr = addr.Unmap().WithZone("")
			g.allowed = append(g.allowed, netip.PrefixFrom(addr, addr.BitLen()))
		default:
			prefix, err := netip.ParsePrefix(part)
			if err != nil {
				return nil, fmt.Errorf("%q is neither an address, a CIDR range nor all", part)
			}
			g.allowed = append(g.allowed, prefix.Masked())
		}
	}
	return g, nil
}

// denied is the refusal of an address.
type denied struct{ addr netip.Addr }

// Error implements error.
func (e *denied) Error() string {
	return fmt.Sprintf("the address %s is private, and not allowed by allow-private-webhooks", e.addr)
}

// Check refuses an address that may not be reached.
func (g *Guard) Check(addr netip.Addr) error {
	addr = plainAddr(addr)
	if !private(addr) || g != nil && g.all {
		return nil
	}
	if g != nil {
		for _, p := range g.allowed {
			if p.Contains(addr) {
				return nil
			}
		}
	}
	return &denied{addr}
}

// control is what net.Dialer calls before it connects to a resolved address.
func (g *Guard) control(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address %q cannot be checked", address)
	}
	return g.Check(at.Addr())
}

// plainAddr is an IPv6 address that carries an IPv4 address as the latter.
func plainAddr(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr
	}
	b := addr.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(addr), netip.MustParsePrefix("::/96").Contains(addr) && addr.Compare(netip.MustParseAddr("::ffff")) > 0:
		return netip.AddrFrom4([4]byte(b[12:16])) // NAT64; IPv4-compatible
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])) // 6to4
	default:
		return addr
	}
}

// private reports whether an address is no host's on the public internet.
func private(addr netip.Addr) bool {
	if !addr.IsValid() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() || addr.IsMulticast() {
		return true
	}
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fec0::/10", "3fff::/20", "5f00::/16",
	} {
		if netip.MustParsePrefix(p).Contains(addr) {
			return true
		}
	}
	return false
}
