"""Every template, by its text: titles, headings, labels, tokens, and nothing a content policy would stop."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).parent.parent / "web" / "templates"
TEMPLATES = sorted(ROOT.rglob("*.html"))
PAGES = [path for path in TEMPLATES if not path.name.startswith("_") and path.parent.name != "layouts"]
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
CONTROL = re.compile(r"<(?:input|select|textarea)\b[^>]*>", re.DOTALL)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def with_regions(path: Path, seen: frozenset[Path] = frozenset()) -> str:
    """Return a template's text with what it includes in place."""
    if path in seen or not path.exists():
        return ""
    included = re.compile(r'{%-?\s*include "([^"]+)".*?%}')
    return included.sub(lambda match: with_regions(ROOT / match[1], seen | {path}), path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_template_can_be_read(path: Path) -> None:
    Environment(loader=FileSystemLoader(ROOT), autoescape=True).parse(path.read_text())


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_page_has_a_title_and_a_layout(path: Path) -> None:
    text = path.read_text()
    assert "{% extends" in text
    assert re.search(r"{% block title %}[^{]*\S|{% block title %}{{", text)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_page_has_one_heading(path: Path) -> None:
    """Two alternatives of an `if` count as one."""
    text = with_regions(path)
    n_alternatives = 1 + len(re.findall(r"{%-?\s*(?:else|elif)\b", text))
    assert 1 <= len(re.findall(r"<h1\b", text)) <= n_alternatives


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_form_that_changes_something_carries_its_token(path: Path) -> None:
    for form in FORM.findall(path.read_text()):
        if re.search(r'method="post"', form):
            assert "{{ csrf_field }}" in form, form[:120]


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_every_field_has_a_label(path: Path) -> None:
    text = path.read_text()
    labels = set(re.findall(r'\bfor="([^"]+)"', text))
    for control in CONTROL.findall(text):
        if re.search(r'type="(hidden|submit)"|aria-label|aria-hidden', control):
            continue
        identity = re.search(r'\bid="([^"]+)"', control)
        is_wrapped = re.search(r"<label\b[^>]*>(?:(?!</label>).)*" + re.escape(control), text, re.DOTALL)
        assert is_wrapped or (identity and identity[1] in labels) or path.name == "_fields.html", control


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_no_template_holds_inline_styles_or_scripts(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_nothing_is_put_on_a_page_unescaped(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape false", path.read_text())


@pytest.mark.parametrize(
    "path", [path for path in TEMPLATES if path.name.startswith("_") and path.parent.name != "shared"], ids=named
)
def test_buttons_say_what_they_are(path: Path) -> None:
    """A button that shows only an icon has a name for those who do not see it."""
    for button in re.findall(r"<button\b.*?</button>", path.read_text(), re.DOTALL):
        words = re.sub(r"{{ ui\.icon\([^}]*}}|<[^>]+>|{%[^%]*%}", "", button).strip()
        assert words or "aria-label" in button, button
