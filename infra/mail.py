"""Mail through an SMTP server: STARTTLS wherever the server offers it, TLS from the start for smtps://."""

from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from domain.errors import Unavailable
from domain.notes import Mail
from infra.settings import MailSettings

TIMEOUT_S = 20
SMTPS_PORT, SUBMISSION_PORT = 465, 587
AWAY = "The mail server does not take mails: {reason}. They are tried again in a few minutes."


class SmtpMailer:
    """Sends mails through one server, a connection each: there are few, and none is urgent."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings

    async def send(self, mail: Mail) -> None:
        """See `domain.notes.Mailer`."""
        server = urlsplit(self._settings.url)
        is_tls = server.scheme == "smtps"
        try:
            await aiosmtplib.send(
                message_of(mail, self._settings.sender),
                hostname=server.hostname or "localhost",
                port=server.port or (SMTPS_PORT if is_tls else SUBMISSION_PORT),
                username=unquote(server.username) if server.username else None,
                password=unquote(server.password) if server.password else None,
                use_tls=is_tls,
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(AWAY.format(reason=error)) from error


def message_of(mail: Mail, sender: str) -> EmailMessage:
    """Return a mail as it travels; its Message-ID is the token, so that an answer to it brings the token back."""
    message = EmailMessage()
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    message["From"], message["To"], message["Subject"] = sender, mail.to, mail.subject
    message["Date"], message["Message-ID"] = formatdate(usegmt=True), f"<{mail.token}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message
