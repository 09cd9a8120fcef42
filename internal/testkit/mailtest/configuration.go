package mailtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"visavis/simulators/mail/pki"
)

func (s *Server) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *Server) certificates() error {
	cert, err := s.authority.Server(time.Now(), ServerName, "localhost", "127.0.0.1")
	if err != nil {
		return err
	}
	chain, key, err := pki.Encode(cert)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"ca.pem": s.authority.PEM(), "server.pem": chain, "server.key": key} {
		if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// owner gives the uid and gid that mailboxes belong to.
func owner() (uid, gid int, err error) {
	u, err := user.Lookup("nobody")
	if err != nil {
		return 0, 0, err
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

func (s *Server) configurePostfix() error {
	uid, gid, err := owner()
	if err != nil {
		return err
	}
	for _, d := range []string{"postfix", "queue", "data", "mail"} {
		if err := os.MkdirAll(s.path(d), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chown(s.path("mail"), uid, gid); err != nil {
		return err
	}
	m, err := user.Lookup(mailOwner)
	if err != nil {
		return err
	}
	mailUID, err := strconv.Atoi(m.Uid)
	if err != nil {
		return err
	}
	if err := os.Chown(s.path("data"), mailUID, -1); err != nil {
		return err
	}
	if err := s.writeMailboxes(); err != nil {
		return err
	}
	for name, text := range map[string]string{"main.cf": s.mainCF(uid, gid), "master.cf": s.masterCF(), "recipients": recipientRules} {
		if err := os.WriteFile(s.path("postfix", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	out, err := exec.Command("/usr/sbin/postfix", "-c", s.path("postfix"), "check").CombinedOutput()
	if err != nil {
		return fmt.Errorf("postfix check: %w: %s", err, out)
	}
	return nil
}

const recipientRules = `/^refuse/ 550 5.1.1 no such mailbox
/^busy/ 450 4.2.1 mailbox busy, come back later
/^full/ 552 5.2.2 mailbox full
`

func (s *Server) mainCF(uid, gid int) string {
	return fmt.Sprintf(`compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
queue_directory = %[1]s/queue
data_directory = %[1]s/data
mail_owner = %[2]s
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = %[1]s/postfix.log
maillog_file_prefixes = %[1]s
myhostname = %[3]s
myorigin = %[3]s
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
default_transport = error:5.4.4 this server relays nowhere
relayhost =
virtual_mailbox_domains = %[4]s
virtual_mailbox_base = %[1]s/mail
virtual_mailbox_maps = texthash:%[1]s/postfix/mailboxes
virtual_uid_maps = static:%[5]d
virtual_gid_maps = static:%[6]d
virtual_minimum_uid = 100
message_size_limit = 26000000
virtual_mailbox_limit = 0
minimal_backoff_time = 5s
queue_run_delay = 2s
delay_warning_time = 0
smtpd_client_restrictions =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access regexp:%[1]s/postfix/recipients
smtpd_reject_unlisted_recipient = no
smtpd_tls_cert_file = %[1]s/server.pem
smtpd_tls_key_file = %[1]s/server.key
smtpd_tls_CAfile = %[1]s/ca.pem
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_loglevel = 1
`, s.dir, mailOwner, ServerName, strings.Join(s.Domains, ", "), uid, gid)
}

func (s *Server) masterCF() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_tls_ask_ccert=yes -o smtpd_tls_req_ccert=yes\n", s.Secure)
	fmt.Fprintf(&b, "%s inet n - n - - smtpd -o smtpd_tls_security_level=may -o smtpd_reject_unlisted_recipient=yes\n", s.Plain)
	for _, l := range []string{
		"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
		"tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite", "bounce unix - - n - 0 bounce",
		"defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify",
		"flush unix n - n 1000? 0 flush", "proxymap unix - - n - - proxymap", "smtp unix - - n - - smtp",
		"relay unix - - n - - smtp", "showq unix n - n - - showq", "error unix - - n - - error",
		"retry unix - - n - - error", "discard unix - - n - - discard", "local unix - n n - - local",
		"virtual unix - n n - - virtual", "anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache",
		"postlog unix-dgram n - n - 1 postlogd",
	} {
		b.WriteString(l + "\n")
	}
	return b.String()
}

func (s *Server) writeMailboxes() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for address := range s.boxes {
		local, domain, ok := strings.Cut(address, "@")
		if !ok || strings.ContainsAny(address, "/ \n") {
			return fmt.Errorf("mailtest: %q is not a mailbox", address)
		}
		fmt.Fprintf(&b, "%s %s/%s/\n", address, domain, local)
	}
	return os.WriteFile(s.path("postfix", "mailboxes"), []byte(b.String()), 0o644)
}

func (s *Server) configureDovecot() error {
	uid, gid, err := owner()
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(s.IMAP)
	if err != nil {
		return err
	}
	text := fmt.Sprintf(`protocols = imap
listen = 127.0.0.1
base_dir = %[1]s/dovecot
state_dir = %[1]s/dovecot-state
log_path = %[1]s/dovecot.log
mail_location = maildir:%[1]s/mail/%%d/%%n
mail_uid = %[2]d
mail_gid = %[3]d
first_valid_uid = 1
first_valid_gid = 1
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <%[1]s/server.pem
ssl_key = <%[1]s/server.key
ssl_ca = <%[1]s/ca.pem
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_require_client_cert = yes
auth_ssl_username_from_cert = yes
ssl_cert_username_field = commonName
auth_mechanisms = external
default_internal_user = dovecot
default_login_user = dovenull
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=%[2]d gid=%[3]d home=%[1]s/mail/%%d/%%n
}
service imap-login {
  inet_listener imap {
    port = %[4]s
  }
  inet_listener imaps {
    port = 0
  }
}
`, s.dir, uid, gid, port)
	return os.WriteFile(s.path("dovecot.conf"), []byte(text), 0o644)
}
