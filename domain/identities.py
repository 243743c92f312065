"""Who is who: records of people (a name, an address, a team) read, and two of them compared, with the reasons.

Two people who share a name stay two where their addresses or teams speak against one. Many are joined in `resolving`.
"""

# ruff: noqa: SIM905  # long lists of words read better as one text
import re
from collections.abc import Iterator, Sequence

import msgspec

from domain.names import INITIAL_LIKENESS, match_people, person_likeness, person_words
from domain.nicknames import COMMON_FAMILY, COMMON_GIVEN, FAMILIES, PARTICLES, is_nickname
from domain.spelling import Romanise, words

JOIN_AT = 5.0
"""The evidence that makes two records one person."""
TWO_TEAMS, TWO_MAILBOXES = -3.5, -4.25
"""What holds two people apart whoever else seems to join them: `marta.vieira2@` was made since there was a first."""
ADDRESS = re.compile(r"^[^\s@<>]*\w[^\s@<>]*@[\w][\w.-]*(?:\(none\))?$")
RELAYED = re.compile(r"\s+(?:via|on behalf of)\s.*", re.IGNORECASE)
"""`Ada Byron via Lists`: the name is a person's, the address that of a machine."""
NOBODY = frozenset("anonymous unknown nobody none user noname root".split())
NOREPLY = re.compile(r"^(?:(\d+)\+)?([\w.-]+?)@users\.noreply\.[\w.-]+$")
ROLES = frozenset(
    "root info admin administrator support sales contact office help hello team noreply no-reply donotreply postmaster"
    " webmaster mail me dev git github user none unknown nobody invalid ubuntu localhost security abuse billing hr"
    " jobs press legal ops devops bot build ci test everyone all staff team people finance"
    " privacy news feedback home laptop desktop linux windows mac macbook server local localhost oss opensource open"
    " source code contrib contributor developer development software engineering work private public spam list lists"
    " git-list github-work gitlab web www post inbox bugfix bugs patches".split()
)
PUBLIC_DOMAINS = frozenset(
    "gmail.com googlemail.com yahoo.com hotmail.com outlook.com live.com msn.com icloud.com me.com mac.com aol.com"
    " gmx.de gmx.net gmx.com web.de t-online.de mail.ru yandex.ru yandex.com qq.com 163.com 126.com protonmail.com"
    " proton.me pm.me zoho.com fastmail.com fastmail.fm free.fr orange.fr laposte.net wp.pl o2.pl naver.com rambler.ru"
    " hotmail.co.uk yahoo.co.uk yahoo.co.in yahoo.fr yahoo.de mailbox.org posteo.de hey.com iki.fi".split()
)


class Record(msgspec.Struct, frozen=True):
    """One mention of a person by a source, as it stands there; empty fields say nothing."""

    id: str
    name: str = ""
    email: str = ""
    project: str = ""


class Identity(msgspec.Struct, frozen=True):
    """A record, read."""

    id: str
    name: tuple[str, ...]
    """Folded words without titles."""
    address: str
    """In one form: small letters, no tag, no dots where the provider ignores them."""
    handle: str
    """The part that people carry from account to account; "" for role addresses."""
    domain: str
    project: str
    spelled: tuple[str, ...] = ()
    """The words of a name that a local part such as `lena.okafor` spells; empty where none stands in it."""
    site: str = ""
    """The name of a domain of one's own, `okafor` of `me@okafor.example`; "" for those that many share."""


class Verdict(msgspec.Struct, frozen=True):
    """How much speaks for two records being one person, and what."""

    weight: float
    reasons: tuple[str, ...]
    is_parted: bool = False
    """Two teams, or two mailboxes at one employer, speak against it, and nothing outweighs them."""

    @property
    def is_contrary(self) -> bool:
        """Whether what holds these two apart also holds apart those who belong to them."""
        return self.is_parted or self.weight <= -3.0

    @property
    def is_same(self) -> bool:
        """Whether it is enough."""
        return self.weight >= JOIN_AT


def read_identity(record: Record, romanise: Romanise) -> Identity:
    """Return a record with its name folded and its address in one form; what is no address is no address."""
    name = RELAYED.sub("", record.name.strip())
    email = "" if name != record.name.strip() else record.email.strip().strip("<>").lower().removeprefix("mailto:")
    if ADDRESS.match(name):
        email, name = email or name.lower(), ""
    address, handle, domain = read_address(email)
    before, _, after = re.sub(r"\([^)]*\)", " ", name).lstrip("@!").partition(",")
    folded = person_words(words(f"{after} {before}", romanise)) if name else ()
    folded = () if folded and folded[0] in NOBODY else folded
    project, spelled = " ".join(record.project.split()).lower(), words_spelled(email) if handle else ()
    return Identity(record.id, folded, address, handle, domain, project, spelled, site_of(email, domain))


def read_address(email: str) -> tuple[str, str, str]:
    """Return an address in one form, its handle and its domain; each "" where there is none to rely on."""
    if not ADDRESS.match(email):
        return "", "", ""
    if hidden := NOREPLY.match(email):
        return f"{hidden[2]}@noreply", _bare(hidden[2]), ""
    local, _, domain = email.partition("@")
    handle = re.sub(r"\+.*", "", local)
    is_machine = "." not in domain or domain.endswith((".local", ".localdomain", ".(none)"))
    domain = domain.replace("googlemail.com", "gmail.com")
    bare = handle.replace(".", "") if domain == "gmail.com" else handle
    is_role = handle in ROLES
    return ("" if is_role and is_machine else f"{bare}@{domain}"), ("" if is_role else _bare(handle)), domain


def words_spelled(email: str) -> tuple[str, ...]:
    """Return the words of a local part that is written as a name: two or three, of letters, the last no initial."""
    hidden = NOREPLY.match(email)
    local = hidden[2] if hidden else re.sub(r"\+.*", "", email.partition("@")[0])
    parts = tuple(re.sub(r"\d+$", "", part) for part in re.split(r"[._-]", local))
    is_name = len(parts) in (2, 3) and all(part.isalpha() for part in parts) and len(parts[-1]) > 2
    return parts if is_name and not ROLES & set(parts) else ()


def site_of(email: str, domain: str) -> str:
    """Return the name of the domain where a local part that is no name's own says that a person's domain it may be."""
    labels = domain.split(".")
    if domain in PUBLIC_DOMAINS or len(labels) < 2 or domain.endswith((".local", ".localdomain", ".(none)")):
        return ""
    is_second = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    site, local = _bare(labels[-3 if is_second else -2]), email.partition("@")[0]
    return site if len(site) > 3 and (local in ROLES or len(local) < 4 or _bare(local) in site) else ""


def compare(one: Identity, other: Identity) -> Verdict:
    """Weigh what speaks for and against two records being one person."""
    reasons: list[tuple[float, str]] = []
    if one.address and one.address == other.address:
        shared_role = not one.handle
        reasons.append(
            (3.0, f"share the role address {one.address}") if shared_role else (9.0, f"share the address {one.address}")
        )
    name_weight, said = _names(one, other)
    reasons += [(name_weight, said)] if said else []
    reasons += _handles(one, other, name_weight)
    if one.project and other.project:
        is_shared = one.project == other.project
        reasons.append(
            (1.0, f"both in {one.project}") if is_shared else (TWO_TEAMS, f"in {one.project} and {other.project}")
        )
    if _is_second_mailbox(one, other):
        is_numbered = re.sub(r"\d+$", "", one.handle) == re.sub(r"\d+$", "", other.handle)
        reasons.append((TWO_MAILBOXES if is_numbered else -4.0, f"two mailboxes at {one.domain}"))
    total = sum(weight for weight, _ in reasons)
    is_parted = (
        total < JOIN_AT and name_weight > 0 and bool({TWO_TEAMS, TWO_MAILBOXES} & {weight for weight, _ in reasons})
    )
    return Verdict(total, tuple(text for _, text in sorted(reasons, reverse=True)), is_parted)


def _names(one: Identity, other: Identity) -> tuple[float, str]:
    a, b = one.name, other.name
    if not a or not b:
        return 0.0, ""
    shown = " ".join(a), " ".join(b)
    if len(a) == 1 or len(b) == 1:
        return _single_name(a, b)
    if sorted(a) == sorted(b):
        is_one_bare = bool(one.address) != bool(other.address)
        is_frequent = not is_one_bare and a[-1] in COMMON_FAMILY and (is_common(a[0]) or len(a[0]) == 1)
        return (3.5 if is_frequent else 5.5), f"share the name {shown[0]}"
    if not match_people(a, b).is_same:
        return -4.0, f"{shown[0]} and {shown[1]} differ"
    is_outlined = a[-1] == b[-1] and (a[0] == b[0] or person_likeness(a[0], b[0]) >= INITIAL_LIKENESS)
    return (4.5, f"{shown[0]} and {shown[1]} agree") if is_outlined else (3.0, f"{shown[0]} and {shown[1]} are close")


def _single_name(a: Sequence[str], b: Sequence[str]) -> tuple[float, str]:
    """One of the names is a single word: a given name, or a handle in a name's place."""
    shown = " ".join(a), " ".join(b)
    if tuple(a) == tuple(b):
        return (1.5 if is_common(a[0]) else 5.0), f"share the name {shown[0]}"
    short, long = (a, b) if len(a) == 1 else (b, a)
    if short[0] in spelled_handles(long):
        return 4.0, f"“{short[0]}” is short for {' '.join(long)}"
    if short[0] in long or is_nickname(short[0], long[0]):
        return 1.0, f"“{short[0]}” is part of {' '.join(long)}"
    return (-2.0, f"{shown[0]} and {shown[1]} differ") if is_common(short[0]) else (0.0, "")


def _handles(one: Identity, other: Identity, name_weight: float) -> Iterator[tuple[float, str]]:
    """Yield what the local parts of addresses, and names that are handles, say."""
    if one.address == other.address and one.address:
        return
    mine = {one.handle, *([one.name[0]] if len(one.name) == 1 else [])} - {""}
    theirs = {other.handle, *([other.name[0]] if len(other.name) == 1 else [])} - {""}
    is_lone = not (one.name and other.name)
    if shared := sorted((mine & theirs), key=len)[-1:]:
        yield _shared_handle(shared[0], one, other), f"share the handle {shared[0]}"
        return
    if said := _of_one_make(one, other):
        yield said
        return
    if is_lone and one.domain == other.domain and one.spelled and other.spelled:
        return
    if name_weight < 0 or (one.name and sorted(one.name) == sorted(other.name)):
        yield from _own_domain(one, other) if name_weight > 0 else ()
        return
    for handles, name in ((mine, other.name or other.spelled), (theirs, one.name or one.spelled)):
        plain = {handle if one.domain == other.domain else re.sub(r"\d+$", "", handle) for handle in handles}
        spelled = sorted(handle for handle in plain if len(name) > 1 and handle in spelled_handles(name))
        if spelled:
            is_full = len(spelled[0]) >= len(name[0]) + len(name[-1])
            is_colleague = one.domain == other.domain and one.domain not in PUBLIC_DOMAINS
            strength = (3.0 if is_full else 2.0) + 2.0 * is_lone + 1.0 * (is_lone and is_colleague)
            yield strength, f"“{spelled[0]}” spells {' '.join(name)}"
            return
    yield from _own_domain(one, other)


def _shared_handle(handle: str, one: Identity, other: Identity) -> float:
    """A handle says the more the less it is a word or a name that others make theirs too."""
    if is_common(handle) or len(handle) < 4 or handle in full_handles(one.name) & full_handles(other.name):
        return 1.0
    if one.name and other.name:
        return 4.0
    spelled = one.spelled or other.spelled
    return 3.5 if spelled and spelled[-1] in COMMON_FAMILY and is_common(spelled[0]) else 5.0


def _of_one_make(one: Identity, other: Identity) -> tuple[float, str] | None:
    """Local parts that are the same words in another order, or differ by a number, where no name says more."""
    if (one.name and other.name) or one.domain == other.domain:
        return None
    if one.spelled and sorted(one.spelled) == sorted(other.spelled):
        return 5.0, f"both spell {' '.join(one.spelled)}"
    plain = re.sub(r"\d+$", "", one.handle)
    is_same = len(plain) > 6 and plain == re.sub(r"\d+$", "", other.handle) and not is_common(plain)
    return (5.0, f"share the handle {plain} but for a number") if is_same else None


def _own_domain(one: Identity, other: Identity) -> Iterator[tuple[float, str]]:
    """Yield that a domain bears the other's handle or name: `mail@lenaokafor.example` beside `lenaokafor@…`."""
    for mine, theirs in ((one, other), (other, one)):
        family = theirs.name[-1] if len(theirs.name) > 1 else ""
        makes = {theirs.handle, *spelled_handles(theirs.name), family} - {""}
        if mine.site in makes and not is_common(mine.site):
            yield 2.0, f"{mine.domain} bears the name {mine.site}"
            return


def full_handles(name: Sequence[str]) -> frozenset[str]:
    """Return the handles that are only the name written together: at two employers they prove nothing more."""
    return frozenset({"".join(name), "".join((*name[:1], *name[-1:]))}) if len(name) > 1 else frozenset()


def spelled_handles(name: Sequence[str]) -> frozenset[str]:
    """Return the handles that people make of their name: flast, first.last, firstl, lastf, initials and last."""
    plain = [word for word in name if word not in PARTICLES] or list(name)
    if len(plain) < 2:
        return frozenset()
    first, last = plain[0], plain[-1]
    initials = "".join(word[0] for word in plain[:-1])
    made = {first + last, last + first, first[0] + last, last + first[0], initials + last, "".join(plain)}
    made |= {first + last[0]} if len(first) > 3 else set()
    made |= {"".join(name), first[0] + "".join(name[1:])}
    return frozenset(each for each in made if len(each) >= 4)


def _is_second_mailbox(one: Identity, other: Identity) -> bool:
    """One person rarely has two personal mailboxes at one employer, both made of the name."""
    if not one.domain or one.domain != other.domain or one.domain in PUBLIC_DOMAINS or one.handle == other.handle:
        return False
    if not one.handle or not other.handle or _bare(one.handle) == _bare(other.handle):
        return False
    return all(re.sub(r"\d+$", "", each.handle) in spelled_handles(each.name) for each in (one, other))


def is_common(word: str) -> bool:
    """Whether a word is a name that many people bear, so that sharing it says little."""
    return word in COMMON_GIVEN or word in COMMON_FAMILY or word in FAMILIES


def _bare(handle: str) -> str:
    return re.sub(r"[._-]", "", handle)


def keys(identity: Identity) -> Iterator[str]:
    """Yield the keys under which a record is looked for: who shares none is never compared."""
    if identity.address:
        yield f"a:{identity.address}"
    if identity.handle:
        yield f"h:{identity.handle}"
        if (plain := re.sub(r"\d+$", "", identity.handle)) != identity.handle and len(plain) > 3:
            yield f"h:{plain}"
    if identity.spelled:
        yield f"n:{' '.join(sorted(identity.spelled))}"
        if not identity.name:
            yield from (f"h:{handle}" for handle in sorted(spelled_handles(identity.spelled)))
    if identity.site:
        yield f"h:{identity.site}"
    if len(identity.name) == 1:
        yield f"h:{identity.name[0]}"
    if len(identity.name) > 1:
        yield f"n:{' '.join(sorted(identity.name))}"
        yield from (f"h:{handle}" for handle in sorted(spelled_handles(identity.name)))
        full = sorted((word for word in identity.name if len(word) > 1 and word not in PARTICLES), key=len)
        yield from (f"l:{word}" for word in full[-3:])
        outer = sorted(word[0] for word in (identity.name[0], identity.name[-1]))
        yield f"i:{''.join(outer)}{full[-1][:3] if full else ''}"
