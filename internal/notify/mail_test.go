package notify_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/value"
)

// mailServer is a server of mail that speaks SMTP as far as sending needs it.
type mailServer struct {
	offer    string // what AUTH offers
	starttls bool
	implicit bool
	refuse   string // the command to refuse
	cert     *tls.Config
	got      chan delivery
}

// delivery is a mail that arrived.
type delivery struct {
	Secure   bool
	Mech     string
	Login    string
	From     string
	To       []string
	Subject  string
	Body     string
	MimeType string
}

// start serves one connection after the other and returns the port.
func (m *mailServer) start(t *testing.T) int {
	t.Helper()
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.StartTLS()
	m.cert = &tls.Config{Certificates: web.TLS.Certificates}
	web.Close()
	m.got = make(chan delivery, 10)
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			m.talk(conn)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func (m *mailServer) talk(conn net.Conn) {
	plain := conn
	defer time.AfterFunc(5*time.Second, func() { _ = plain.Close() }).Stop()
	d := delivery{Secure: m.implicit}
	if m.implicit {
		conn = tls.Server(conn, m.cert)
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	defer func() { _ = conn.Close() }()
	say("220 double")
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if verb == m.refuse {
			say("550 5.7.1 not for you")
			continue
		}
		switch verb {
		case "EHLO":
			say("250-double")
			if m.starttls && !d.Secure {
				say("250-STARTTLS")
			}
			say("250 AUTH %s", m.offer)
		case "STARTTLS":
			say("220 go")
			conn = tls.Server(conn, m.cert)
			r, d.Secure = textproto.NewReader(bufio.NewReader(conn)), true
		case "AUTH":
			m.auth(r, say, &d, rest)
		case "MAIL":
			d.From = between(rest)
			say("250 ok")
		case "RCPT":
			d.To = append(d.To, between(rest))
			say("250 ok")
		case "DATA":
			say("354 go on")
			d.read(r)
			m.got <- d
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func between(text string) string {
	_, rest, _ := strings.Cut(text, "<")
	inner, _, _ := strings.Cut(rest, ">")
	return inner
}

// auth takes who signs in with the password "sesame".
func (m *mailServer) auth(r *textproto.Reader, say func(string, ...any), d *delivery, rest string) {
	mech, first, _ := strings.Cut(rest, " ")
	d.Mech = mech
	plain := func(text string) string {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "?"
		}
		return string(b)
	}
	ask := func(what string) string {
		say("334 %s", base64.StdEncoding.EncodeToString([]byte(what)))
		line, err := r.ReadLine()
		if err != nil {
			return "?"
		}
		return plain(line)
	}
	switch mech {
	case "PLAIN":
		d.Login = strings.ReplaceAll(strings.TrimPrefix(plain(first), "\x00"), "\x00", ":")
	case "LOGIN":
		d.Login = ask("Username:") + ":" + ask("Password:")
	}
	if !strings.HasSuffix(d.Login, ":sesame") {
		say("535 5.7.8 %s is wrong", d.Login)
		return
	}
	say("235 ok")
}

func (d *delivery) read(r *textproto.Reader) {
	text, err := r.ReadDotBytes()
	if err != nil {
		return
	}
	letter := textproto.NewReader(bufio.NewReader(strings.NewReader(string(text))))
	header, err := letter.ReadMIMEHeader()
	if err != nil {
		return
	}
	body, err := io.ReadAll(quotedprintable.NewReader(letter.R))
	if err != nil {
		return
	}
	d.Subject, d.MimeType, d.Body = header.Get("Subject"), header.Get("Content-Type"), strings.TrimRight(string(body), "\r\n")
}

func mailBlock(port int, security string, more ...any) notify.Block {
	data := value.Of("username", "ann@example.com", "password", "sesame", "smtp_server", "127.0.0.1", "smtp_port", int64(port), "smtp_type", security, "verify", false)
	for i := 0; i+1 < len(more); i += 2 {
		data.Set(more[i].(string), more[i+1])
	}
	return notify.Block{TypeSlug: "email-server-credentials", Data: data}
}

func TestMailIsSent(t *testing.T) {
	t.Parallel()
	const kind = "text/plain; charset=UTF-8"
	self, all := []string{"ann@example.com"}, []string{"b@example.com", "c@example.com"}
	tests := []struct {
		name     string
		server   mailServer
		security any
		more     []any
		want     delivery
	}{
		{
			"over a connection that turns secure",
			mailServer{starttls: true, offer: "LOGIN PLAIN"},
			"STARTTLS", nil,
			delivery{Secure: true, Mech: "PLAIN", Login: "ann@example.com:sesame", From: "ann@example.com", To: self},
		},
		{
			"over a secure connection",
			mailServer{implicit: true, offer: "LOGIN"},
			"SSL", nil,
			delivery{Secure: true, Mech: "LOGIN", Login: "ann@example.com:sesame", From: "ann@example.com", To: self},
		},
		{
			"over a bare connection, when asked for",
			mailServer{offer: "PLAIN"},
			"insecure", nil,
			delivery{Mech: "PLAIN", Login: "ann@example.com:sesame", From: "ann@example.com", To: self},
		},
		{
			"as saved blocks name it",
			mailServer{starttls: true, offer: "PLAIN"},
			"STARTTLS",
			[]any{"smtp_type", int64(587)},
			delivery{Secure: true, Mech: "PLAIN", Login: "ann@example.com:sesame", From: "ann@example.com", To: self},
		},
		{
			"to whom the block names, without signing in",
			mailServer{},
			"INSECURE",
			[]any{"username", nil, "sender_email", "leat@example.com", "to_emails", []any{"b@example.com", "c@example.com"}},
			delivery{From: "leat@example.com", To: all},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			port := tt.server.start(t)
			s := notify.Sender{Guard: guardOf(t, "127.0.0.1"), Timeout: 5 * time.Second}
			block := mailBlock(port, tt.security.(string), tt.more...)
			if err := s.Send(t.Context(), block, "It failed\r\nBcc: evil@example.com", "Dear all,\n.\nüber"); err != nil {
				t.Fatal(err)
			}
			tt.want.Subject, tt.want.Body, tt.want.MimeType = "It failed Bcc: evil@example.com", "Dear all,\n.\nüber", kind
			if diff := cmp.Diff(tt.want, <-tt.server.got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMailThatIsNotTakenIsAnErrorWithoutThePassword(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		server   mailServer
		security string
		more     []any
		want     string
	}{
		{"a wrong password", mailServer{starttls: true, offer: "PLAIN"}, "STARTTLS", []any{"password", "tell-nobody"}, "535"},
		{"a recipient that is refused", mailServer{starttls: true, offer: "PLAIN", refuse: "RCPT"}, "STARTTLS", nil, "550"},
		{"a server that turns not secure", mailServer{offer: "PLAIN"}, "STARTTLS", nil, "STARTTLS"},
		{"a certificate that nobody signed", mailServer{implicit: true, offer: "PLAIN"}, "SSL", []any{"verify", true}, "certificate"},
		{"a server that hears nothing", mailServer{offer: "PLAIN"}, "SSL", nil, "127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			port := tt.server.start(t)
			s := notify.Sender{Guard: guardOf(t, "127.0.0.1"), Timeout: 5 * time.Second}
			err := s.Send(t.Context(), mailBlock(port, tt.security, tt.more...), "s", "b")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "tell-nobody") || strings.Contains(err.Error(), "sesame") {
				t.Error(err)
			}
		})
	}
}

func TestAServerOfMailThatSaysNothingIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	for _, security := range []string{"INSECURE", "SSL", "STARTTLS"} {
		s := notify.Sender{Guard: guardOf(t, "127.0.0.1"), Timeout: 100 * time.Millisecond}
		if err := s.Send(t.Context(), mailBlock(n, security), "s", "b"); err == nil || !strings.Contains(err.Error(), "in time") {
			t.Errorf("%s: %v", security, err)
		}
	}
}
