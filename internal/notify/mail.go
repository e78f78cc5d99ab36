package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/leat-dev/leat/internal/value"
)

// mailbox is a server of mail as prefect-email's credentials describe it, and
// whom it sends for and to.
type mailbox struct {
	host, username, password string
	port                     int
	security                 string // SSL, STARTTLS or INSECURE
	insecure                 bool   // any certificate will do
	from                     string
	to                       []string
}

// readMailbox reads the credentials. Two fields of our own, which the type's
// schema does not name, say who sends and who receives: sender_email, for which
// the user's name stands otherwise, and to_emails, for which the sender does.
func readMailbox(f *fields) *mailbox {
	b := &mailbox{
		host: mailServer(f.text("smtp_server", "GMAIL")), username: f.text("username", ""), password: f.text("password", ""),
		security: mailSecurity(f), insecure: !f.flag("verify", true), from: f.text("sender_email", ""), to: f.list("to_emails"),
	}
	b.port = int(f.number("smtp_port", map[string]float64{"SSL": 465, "STARTTLS": 587, "INSECURE": 25}[b.security]))
	if b.from == "" {
		b.from = b.username
	}
	if len(b.to) == 0 {
		b.to = []string{b.from}
	}
	if f.err == nil && !strings.Contains(b.from, "@") {
		f.fail("sender_email: missing, and username is no address of mail")
	}
	if f.err == nil && (b.host == "" || b.port < 1 || b.port > 65535) {
		f.fail("smtp_server, smtp_port: no address of a server")
	}
	return b
}

// mailServer is the host that a name of prefect-email's list stands for, or the host itself.
func mailServer(name string) string {
	switch strings.ToUpper(name) {
	case "AOL":
		return "smtp.aol.com"
	case "ATT":
		return "smtp.mail.att.net"
	case "COMCAST":
		return "smtp.comcast.net"
	case "ICLOUD":
		return "smtp.mail.me.com"
	case "GMAIL":
		return "smtp.gmail.com"
	case "OUTLOOK":
		return "smtp-mail.outlook.com"
	case "YAHOO":
		return "smtp.mail.yahoo.com"
	default:
		return strings.TrimSpace(name)
	}
}

// mailSecurity is how a connection is secured: a name, or the number that a saved
// block has instead.
func mailSecurity(f *fields) string {
	if n, ok := value.Integer(f.get("smtp_type")); ok {
		switch n {
		case 465:
			return "SSL"
		case 587:
			return "STARTTLS"
		case 25:
			return "INSECURE"
		}
		f.fail("smtp_type: not one of 465, 587, 25")
		return "SSL"
	}
	name := strings.ToUpper(f.text("smtp_type", "SSL"))
	switch name {
	case "SSL", "STARTTLS", "INSECURE":
		return name
	default:
		f.fail("smtp_type: not one of SSL, STARTTLS, INSECURE")
		return "SSL"
	}
}

// sendMail sends a mail of plain text by SMTP.
func (s *Sender) sendMail(ctx context.Context, f *fields, m *message) error {
	box, guard := readMailbox(f), s.guardOf(f)
	if f.err != nil {
		return f.err
	}
	letter, err := box.letter(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	client, err := s.mailClient(ctx, guard, box)
	if err != nil {
		return invalid("smtp_server: %s", err)
	}
	err = client.DialAndSendWithContext(ctx, letter)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	return fmt.Errorf("%s: %w", box.host, box.failure(err))
}

// letter is the message as a mail.
func (b *mailbox) letter(m *message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if letter.From(b.from) != nil {
		return nil, invalid("sender_email: not an address of mail")
	}
	if letter.To(b.to...) != nil {
		return nil, invalid("to_emails: not all are addresses of mail")
	}
	letter.Subject(strings.Join(strings.Fields(m.subject), " "))
	if !m.at.IsZero() {
		letter.SetDateWithValue(m.at)
	}
	letter.SetBodyString(mail.TypeTextPlain, m.body)
	return letter, nil
}

// mailClient is a client for one mail. It signs in by what the server offers, in
// the order of Python's smtplib; a password goes over a bare connection only
// where the block asks for one.
// The connection ends with ctx, whatever the server is at.
func (s *Sender) mailClient(ctx context.Context, guard *Guard, b *mailbox) (*mail.Client, error) {
	certificates := &tls.Config{ServerName: b.host, InsecureSkipVerify: b.insecure} // the block's own wish, by its field verify
	dialer := &net.Dialer{Control: guard.control}
	dial := dialer.DialContext
	policy := mail.NoTLS
	switch b.security {
	case "SSL":
		dial = (&tls.Dialer{NetDialer: dialer, Config: certificates}).DialContext
	case "STARTTLS":
		policy = mail.TLSMandatory
	}
	options := []mail.Option{
		mail.WithPort(b.port), mail.WithTimeout(s.timeout()), mail.WithTLSPolicy(policy), mail.WithTLSConfig(certificates),
		mail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(dialing, network, address)
			if err == nil {
				context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}),
	}
	if b.username != "" {
		plain, login := mail.SMTPAuthPlain, mail.SMTPAuthLogin
		if b.security == "INSECURE" {
			plain, login = mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc
		}
		options = append(options, mail.WithUsername(b.username), mail.WithPassword(b.password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthCramMD5, plain, login))
	}
	return mail.NewClient(b.host, options...)
}

// failure is what a server of mail said, or what kept it from saying anything.
func (b *mailbox) failure(err error) error {
	var said *mail.SendError
	var reply *textproto.Error
	text := ""
	switch {
	case errors.As(err, &said):
		text = said.Error()
	case errors.As(err, &reply):
		text = fmt.Sprintf("answered %d %s", reply.Code, reply.Msg)
	default:
		return bare(err)
	}
	if b.password != "" {
		text = strings.ReplaceAll(text, b.password, "***")
	}
	return fmt.Errorf("%.300s", valid(text))
}
