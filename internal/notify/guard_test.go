package notify_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/value"
)

func TestOnlyPublicAddressesPass(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, allow, addr string
		passes            bool
	}{
		{"a public address", "", "93.184.216.34", true},
		{"a public address of IPv6", "", "2606:2800:220:1::1", true},
		{"loopback", "", "127.0.0.1", false},
		{"the rest of loopback", "", "127.8.8.8", false},
		{"loopback of IPv6", "", "::1", false},
		{"unspecified", "", "0.0.0.0", false},
		{"this network", "", "0.1.2.3", false},
		{"unspecified of IPv6", "", "::", false},
		{"ten", "", "10.1.2.3", false},
		{"172.16", "", "172.31.255.255", false},
		{"beside 172.16", "", "172.32.0.1", true},
		{"192.168", "", "192.168.0.1", false},
		{"metadata of a cloud", "", "169.254.169.254", false},
		{"link-local of IPv6", "", "fe80::1%eth0", false},
		{"unique local", "", "fd00:ec2::254", false},
		{"site-local", "", "fec0::1", false},
		{"shared by a carrier", "", "100.64.0.1", false},
		{"beside it", "", "100.128.0.1", true},
		{"multicast", "", "224.0.0.1", false},
		{"multicast of IPv6", "", "ff02::1", false},
		{"broadcast", "", "255.255.255.255", false},
		{"benchmarks", "", "198.18.0.1", false},
		{"mapped into IPv6", "", "::ffff:127.0.0.1", false},
		{"compatible with IPv4", "", "::7f00:1", false},
		{"translated", "", "64:ff9b::a00:1", false},
		{"translated, public", "", "64:ff9b::5db8:d822", true},
		{"6to4", "", "2002:7f00:1::", false},
		{"an allowed range", "10.0.0.0/8", "10.1.2.3", true},
		{"an allowed range mapped into IPv6", "10.0.0.0/8", "::ffff:10.1.2.3", true},
		{"outside the allowed range", "10.0.0.0/8", "192.168.0.1", false},
		{"one allowed address of several", "10.0.0.1, 127.0.0.1 ,::1", "127.0.0.1", true},
		{"all", "all", "169.254.169.254", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			guard, err := notify.ParseGuard(tt.allow)
			if err != nil {
				t.Fatal(err)
			}
			if err := guard.Check(netip.MustParseAddr(tt.addr)); (err == nil) != tt.passes {
				t.Errorf("%s: %v", tt.addr, err)
			}
		})
	}
	if err := (*notify.Guard)(nil).Check(netip.MustParseAddr("127.0.0.1")); err == nil {
		t.Error("no guard is a guard that lets everything through")
	}
}

func TestAGuardIsReadOrRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"everything", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/8;127.0.0.1"} {
		if _, err := notify.ParseGuard(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// TestPrivateAddressesAreDenied goes to a real listener by its address, by a
// name, and by a redirect.
func TestPrivateAddressesAreDenied(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 10)
	inner := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.URL.Path }))
	t.Cleanup(inner.Close)
	port := inner.URL[strings.LastIndex(inner.URL, ":"):]
	for _, target := range []string{inner.URL, "http://localhost" + port, "http://[::ffff:127.0.0.1]" + port, "http://0.0.0.0" + port, "http://2130706433" + port} {
		s := notify.Sender{}
		err := s.Send(t.Context(), notify.Block{TypeSlug: "slack-webhook", Data: value.Of("url", target+"/secret")}, "s", "b")
		if err == nil {
			t.Errorf("%s was let through", target)
		}
		if _, err := s.CallWebhook(t.Context(), notify.Block{TypeSlug: "webhook", Data: value.Of("url", target+"/secret")}, "{}"); err == nil {
			t.Errorf("%s was called", target)
		}
		if err := s.Send(t.Context(), notify.Block{TypeSlug: "custom-webhook", Data: value.Of("url", target+"/{{ subject }}", "name", "n")}, "s", "b"); err == nil {
			t.Errorf("%s was let through as a custom webhook", target)
		}
	}
	mail := notify.Block{TypeSlug: "email-server-credentials", Data: value.Of("smtp_server", "127.0.0.1", "username", "a@example.com")}
	if err := (&notify.Sender{}).Send(t.Context(), mail, "s", "b"); err == nil || !strings.Contains(err.Error(), "private") {
		t.Errorf("mail: %v", err)
	}
	if len(reached) > 0 {
		t.Errorf("%s was reached", <-reached)
	}
}

func TestABlockMayBeStricterThanTheServer(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	t.Cleanup(inner.Close)
	s := notify.Sender{Guard: guardOf(t, "all")}
	data := value.Of("url", inner.URL, "allow_private_urls", false)
	if err := s.Send(t.Context(), notify.Block{TypeSlug: "slack-webhook", Data: data}, "s", "b"); err == nil {
		t.Error("the block's own wish was not followed")
	}
	data.Set("allow_private_urls", true)
	if err := s.Send(t.Context(), notify.Block{TypeSlug: "slack-webhook", Data: data}, "s", "b"); err != nil {
		t.Error(err)
	}
}

// TestARedirectToAPrivateAddressIsDenied has a double of a public service, on an
// address that is allowed, send its caller to one that is not.
func TestARedirectToAPrivateAddressIsDenied(t *testing.T) {
	t.Parallel()
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(outer.Close)
	s := notify.Sender{Guard: guardOf(t, "127.0.0.1")}
	err := s.Send(t.Context(), notify.Block{TypeSlug: "slack-webhook", Data: value.Of("url", outer.URL+"/secret")}, "s", "b")
	if err == nil || !strings.Contains(err.Error(), "169.254.169.254 is private") || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func guardOf(t *testing.T, text string) *notify.Guard {
	t.Helper()
	g, err := notify.ParseGuard(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
