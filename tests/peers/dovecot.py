"""Starts Dovecot, a real mail server, for mailboxes of the tests alone."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from imapclient import IMAPClient

from tests.peers.emulate import give_up
from tests.peers.ports import free_ports

PASSWORD = "of-the-tests-alone"
START_TIMEOUT_S = 20
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 8
mail_max_userip_connections = 50
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Trash {{
    special_use = \\Trash
    auto = create
  }}
}}
{more}
"""
BY_TOKEN = """
auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
ASKS = """
introspection_mode = post
introspection_url = {url}
username_attribute = email
active_attribute = active
active_value = true
timeout_msecs = 5000
"""
NO_QRESYNC = "imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS ENABLE MOVE SPECIAL-USE"


@dataclass(frozen=True)
class MailServer:
    """Where it listens. It takes any user with the one password; each user has a mailbox of their own."""

    port: int
    tls_port: int
    folder: Path

    def open(self, user: str) -> IMAPClient:
        """A session, as the mailbox's owner has it."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False)
        client.login(user, PASSWORD)
        return client

    def fill(self, user: str, n_mails: int) -> None:
        """Put mails into a mailbox that was opened before, faster than by asking."""
        with self.open(user) as session:
            session.append("INBOX", mail("First", "It makes the box."))
            session.select_folder("INBOX")
            session.delete_messages([1])
            session.expunge()
        box = self.folder / "mail" / user / "cur"
        for number in range(n_mails):
            path = box / f"{1_780_000_000 + number}.M{number}.tests:2,S"
            path.write_bytes(mail(f"Report {number}", f"Reading {number} of the cold chain was {number % 17} degrees."))
            shutil.chown(path, "mail", "mail")


def mail(subject: str, text: str, files: dict[str, bytes] | None = None) -> bytes:
    """A mail as programs write it."""
    message = EmailMessage()
    message["From"] = "Tom Okafor <tom@tidewater.example>"
    message["To"] = "ana@tidewater.example"
    message["Subject"] = subject
    message["Date"] = "Mon, 07 Sep 2026 09:14:00 +0200"
    message["Message-ID"] = f"<{abs(hash((subject, text)))}@tidewater.example>"
    message.set_content(text)
    for name, content in (files or {}).items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


@contextmanager
def running_dovecot(folder: Path, *, keeps_record: bool = True, judge_url: str = "") -> Iterator[MailServer]:
    """Start, and stop at the end; skips where it is not here. Without a record, it cannot tell what was deleted.

    At `judge_url` a provider says whose an access token is: with one, that person comes in (XOAUTH2).
    """
    program = shutil.which("dovecot") or ("/usr/sbin/dovecot" if Path("/usr/sbin/dovecot").exists() else None)
    if program is None:
        give_up("Dovecot is not here: install the package dovecot-imapd.")
        raise AssertionError
    port, tls_port = free_ports(2)
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "mail", "mail")
    folder.chmod(0o755)
    _certify(folder)
    more = "" if keeps_record else NO_QRESYNC
    if judge_url:
        more += BY_TOKEN.format(folder=folder)
        (folder / "oauth2.conf").write_text(ASKS.format(url=judge_url))
    text = CONFIGURATION.format(folder=folder, port=port, tls_port=tls_port, password=PASSWORD, more=more)
    (folder / "dovecot.conf").write_text(text)
    process = subprocess.Popen([program, "-F", "-c", str(folder / "dovecot.conf")], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process, folder)
        yield MailServer(port, tls_port, folder)
    finally:
        process.terminate()
        process.wait(START_TIMEOUT_S)


def _certify(folder: Path) -> None:
    """A certificate that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
                if connection.recv(4) == b"* OK":
                    return
        except OSError:
            time.sleep(0.05)
    log = folder / "dovecot.log"
    pytest.fail(f"Dovecot did not start: {log.read_text()[-500:] if log.exists() else ''}")
