"""Surroundings: what other documents say that a detector must know: what is defined, replaced, there; who has left."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

ABBREVIATION = re.compile(
    r"(?<![\w#@/.&-])(?<!\d[A-Z] )[A-Z]{3,6}"
    r"(?![\w=-]|&\w| \d+\.\d| (?:Union|University|College|Institute|Foundation|Airport)\b)"
)
"""Not one with a value (`DEBUG=1`), nor part of a longer one (`POA&M`) or of a number (`HRM 9334.2`); nor what is a
university, or the like, by the word that follows."""
EXPANDED = re.compile(
    r"\((?P<inside>[A-Z][A-Z0-9]{1,5})(?:['’]?s)?\)"
    r"|^\W*[*_`]{0,3}(?P<first>[A-Z][A-Z0-9]{1,5})[*_`]{0,3} (?:or|/|,|aka) [*_`]{0,3}(?P<second>[A-Z][A-Z0-9]{1,5})"
    r"[*_`]{0,3} *[:=–—-] +\(?[A-Za-z]"
    r"|\b(?P<before>[A-Z][A-Z0-9]{1,5})\b[*_`]{0,3} *(?:\((?=[A-Za-z])|stands for|means|is short for|is an?\b|are\b"
    r"|[:=–—-] +[A-Za-z])",
    re.MULTILINE,
)
LINKED = re.compile(r"\[\w+\]\([^)\s]+\)|https?://\S+")
RECORD = re.compile(r"\b[A-Z]{2,5}-\d{1,5}\b")
SUPERSEDED = re.compile(
    r"\b(?:superseded|replaced|obsoleted) by (?P<by>[A-Z]{2,5}-\d{1,5})|\bsupersedes (?P<old>[A-Z]{2,5}-\d{1,5})",
    re.IGNORECASE,
)
LAST_DAY = re.compile(
    r"\bmy last (?:working )?day (?:is|will be|was)\b|\bI am leaving (?:the company|us)\b", re.IGNORECASE
)
FULL_NAME = r"(?P<name>[A-ZÀ-Þ][a-zà-ÿ'’]+ [A-ZÀ-Þ][\w'’-]+)"
HAS_LEFT = re.compile(
    rf"\b{FULL_NAME}(?:,? who)? (?:has left|left the company|left us|is no longer with|no longer works"
    r"|resigned|retired)\b"
)
LOWER_WORD = re.compile(r"(?<![\w.@/-])[a-z]{3,6}(?![\w@/-])")
FAMILIAR_FROM = 4
"""Documents that use an abbreviation without explaining it, from which on it is part of the language there."""
NO_MYSTERY = frozenset(  # split from one string, so that a reader sees words and not quotes
    """AI AM API APP ASAP AWS BCC CC CD CEO CFO CI CIO CLI CMS COO CPU CSS CSV CTO DB DC DIY DM DNS DOC EMEA ETA
    EU EUR FAQ FTP FYI GB GDPR GIF GIT GMT GPS GPU GUI HDD HQ HR HTML HTTP HTTPS ID IDE II III IMAP IO IOS IP
    ISO IT IV JPG JS JSON JVM KB LAN LGTM LTD MAC MB MD MS NA NGO NO NPM OK OS OSS PC PDF PM PNG PR PRS PS QA
    RAM README REST RFC ROI RSS SAAS SDK SEO SMS SMTP SQL SSD SSH SSL SSO TB TBA TBC TBD TCP TLS TO TODO TV UI
    UK UN URI URL US USA USB USD UTC UX VAT VIP VM VPN VS WIFI WIP WWW XML YAML ZIP AND OR NOT THE EST PST PDT
    EDT CET AD BC MIT BSD GPL CVE IRC NYC USDA NASA IEEE IETF ANSI ASCII UTF ARM AIX BIOS LTE NFC RAID REPL
    SSR TTY LTS WASM MSI PGP GPG NULL TRUE FALSE GET PUT POST HEAD PATCH DELETE LLC INC CV DVD LED PIN
    AFAIK AFAICT AKA AWOL BTW ECMA FWIW IIRC IIUC IMHO OTOH TLDR WRT YMMV
    ACL AES ARP BLOB BYOD CAPEX CDN CHRO CIDR CISO CMYK COGS CORS CRM CRUD
    CSRF CTO CUDA DDL DDOS DHCP DKIM DMARC DML DNSSEC DOB DPI DRAM DVI EBITDA EOD EOF EOL EOY ERD ERP ETL
    EULA FIFO FOSS FPGA FTE FYI GAAP GNU GRPC GTM HDD HDMI HEIC HEX HMAC HSM IAAS IAM IANA ICANN IFRS IMAP IOT
    IPO ISBN ISP ITIL JDBC JPEG JSONL JWT KPI KVM LDAP LIFO LLM LTS MFA MIME MQTT MVP NDA NFS NFT NGO NLP NTP
    NVME OAUTH OCR ODBC OEM OIDC OKR OLAP OLTP OOM OOO OPEX ORM OTP PAAS PCI PII PKI PNG POC POSIX PTO QPS RBAC
    RDBMS RDP REGEX RFI RFP RFQ RGB RHEL RPC RPM RSA RSVP RTF SAML SCIM SCP SDLC SFTP SHA SIEM SKU SLA SLO
    SLI SNMP SOAP SPF SRE SSD SSN SVG SVN SWOT TDD TLD TOML TOTP TPU TSV TTL UAT UDP UML UPS USP UUID VGA VLAN
    DOCX EPUB HEIF MPEG ODP ODS ODT PPT PPTX TIFF WEBP XLS DSA ECDSA
    EACCES EAGAIN EBADF EBUSY EEXIST EINTR EINVAL EISDIR EMFILE ENFILE ENOENT ENOMEM ENOSPC EPERM EPIPE
    VPC WCAG WLAN WYSIWYG XLSX XSS YAML YOY YTD ZFS""".split()  # noqa: SIM905
)
"""Abbreviations that any dictionary or reader knows."""


class Source(msgspec.Struct, frozen=True):
    """A document as detectors read it; `path` is its place at its source, where links lead from."""

    text: str
    title: str = ""
    author: str = ""
    date: datetime | None = None
    path: str = ""


class Replaced(msgspec.Struct, frozen=True):
    """A record that another has replaced."""

    record: str
    by: str


class Departed(msgspec.Struct, frozen=True):
    """A person who has left, and from when on that was known."""

    name: str
    since: datetime | None


class Surroundings(msgspec.Struct, frozen=True):
    """What the other documents say; empty fields mean that nothing is known, and nothing is asked."""

    defined: frozenset[str] | None = None
    """Abbreviations that are explained somewhere; None: unknown."""
    replaced: tuple[Replaced, ...] = ()
    departed: tuple[Departed, ...] = ()
    paths: frozenset[str] = frozenset()
    mark: int = 0
    """Which state of the vault's tidings this is."""


def survey(sources: Sequence[Source]) -> Surroundings:
    """Return what these documents say about each other."""
    return Surroundings(
        defined=frozenset(term for source in sources for term in defined_terms(source.text)) | _familiar(sources),
        replaced=tuple(dict.fromkeys(one for source in sources for one in replaced_records(source))),
        departed=tuple(dict.fromkeys(one for source in sources for one in departed_people(source))),
        paths=frozenset(source.path for source in sources if "/" in source.path or "." in source.path),
    )


def _familiar(sources: Sequence[Source]) -> frozenset[str]:
    """Abbreviations so common here that who reads these documents knows them, and words that were only shouted."""
    used = Counter(term for source in sources for term in {found.group() for found in used_terms(source.text)})
    spelled = {term.lower() for term in used} & {word for source in sources for word in LOWER_WORD.findall(source.text)}
    return frozenset(term for term, n in used.items() if n >= FAMILIAR_FROM or term.lower() in spelled)


def defined_terms(text: str) -> set[str]:
    """Return the abbreviations that a text explains."""
    return {term for found in EXPANDED.finditer(text) for term in found.groups() if term}


def used_terms(text: str) -> Iterable[re.Match[str]]:
    """Yield the abbreviations of a text that not everybody knows; what a link leads to needs no other explanation."""
    linked = [found.span() for found in LINKED.finditer(text)]
    for found in ABBREVIATION.finditer(text):
        is_linked = any(start <= found.start() < end for start, end in linked)
        if found.group() not in NO_MYSTERY and not is_linked:
            yield found


def replaced_records(source: Source) -> list[Replaced]:
    """Return the records of which a document says that another has replaced them."""
    own = RECORD.search(source.title)
    found = []
    for each in SUPERSEDED.finditer(source.text[:4000]):
        if own and each.group("by"):
            found.append(Replaced(own.group(), each.group("by").upper()))
        elif own and each.group("old"):
            found.append(Replaced(each.group("old").upper(), own.group()))
    return [one for one in found if one.record != one.by]


def departed_people(source: Source) -> list[Departed]:
    """Return the people who, a document says, have left or are about to."""
    named = [Departed(found.group("name"), source.date) for found in HAS_LEFT.finditer(source.text)]
    if source.author and LAST_DAY.search(source.text):
        named.append(Departed(source.author, source.date))
    return named
