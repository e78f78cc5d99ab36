package compat

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// link is a machine of its own, a network namespace, whose cable to this one
// can be cut: from then on neither side hears anything of the other, no refusal
// and no end of a connection. The cable runs through a switch, a bridge in a
// third namespace, so that both ends keep their addresses and their routes.
type link struct {
	t       *testing.T
	machine string // network namespace
	plug    string // network namespace of the switch
	wire    string // the cable's end on this side
	host    string // this side's address
}

// newLink makes the machine, or skips the test where that is not possible.
func newLink(t *testing.T) *link {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make network namespaces: run the suite as root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no `ip`: install iproute2")
	}
	env.mu.Lock()
	name := env.uniqueLocked("leat")
	number := env.nextID
	env.mu.Unlock()
	// Names of devices have at most 15 bytes. The addresses are of the block for
	// tests of networks (RFC 2544), four for each cable.
	block := (os.Getpid()*64 + number%64) * 4 % (1 << 17)
	address := func(n int) string {
		a := block + n
		return fmt.Sprintf("198.%d.%d.%d", 18+a>>16, a>>8&255, a&255)
	}
	l := &link{t: t, machine: name, plug: name + "-switch", wire: fmt.Sprintf("lt%x", block), host: address(1)}
	t.Cleanup(l.remove)
	for _, n := range []string{l.machine, l.plug} {
		if out, err := l.tryIP("netns", "add", n); err != nil {
			t.Skipf("network namespaces can't be made here: %v: %s", err, out)
		}
	}
	if out, err := l.tryIP("-n", l.plug, "link", "add", "switch", "type", "bridge"); err != nil {
		t.Skipf("bridges can't be made here: %v: %s", err, out)
	}
	for _, command := range []string{
		"link add " + l.wire + " type veth peer name near netns " + l.plug,
		"-n " + l.machine + " link add eth0 type veth peer name far netns " + l.plug,
		"-n " + l.plug + " link set near master switch up",
		"-n " + l.plug + " link set far master switch up",
		"-n " + l.plug + " link set switch up",
		"addr add " + l.host + "/30 dev " + l.wire,
		"link set " + l.wire + " up",
		"-n " + l.machine + " addr add " + address(2) + "/30 dev eth0",
		"-n " + l.machine + " link set eth0 up",
		"-n " + l.machine + " link set lo up",
	} {
		l.ip(strings.Fields(command)...)
	}
	return l
}

// cut cuts the cable; mend makes it whole.
func (l *link) cut()  { l.ip("-n", l.plug, "link", "set", "far", "down") }
func (l *link) mend() { l.ip("-n", l.plug, "link", "set", "far", "up") }

// remove takes all away, also what a failed newLink has made.
func (l *link) remove() {
	for _, command := range []string{"link del " + l.wire, "netns del " + l.machine, "netns del " + l.plug} {
		_, _ = l.tryIP(strings.Fields(command)...)
	}
}

func (l *link) ip(args ...string) {
	if out, err := l.tryIP(args...); err != nil {
		l.t.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

func (l *link) tryIP(args ...string) (string, error) {
	out, err := exec.CommandContext(context.WithoutCancel(l.t.Context()), "ip", args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// command is a program on the machine; on nil it runs on this one.
func (l *link) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	if l == nil {
		return exec.CommandContext(ctx, program, args...)
	}
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", l.machine, program}, args...)...)
}
