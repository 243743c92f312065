"""The words of the command `knowledgevault`: its subcommands and what each takes."""

import argparse
from pathlib import Path


def make_argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="knowledgevault", description="A company's second brain.")
    commands_ = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("up", "run everything on this machine: servers, web, worker, demo vault"),
        ("serve", "serve the web"),
        ("work", "take jobs from the queue"),
        ("receive-mail", "take in the mails that people forward"),
        ("migrate", "bring the database to the newest schema"),
        ("seed", "plant the demo vault"),
        ("export", "make the embedding model ready to run, once"),
    ):
        commands_.add_parser(name, help=text)
    importing = commands_.add_parser("import", help="bring in a folder, zip, mbox or Slack export")
    importing.add_argument("path", type=Path)
    importing.add_argument("--tenant", required=True, help="the tenant's short name")
    asking = commands_.add_parser("ask", help="ask one question")
    asking.add_argument("question")
    asking.add_argument("--tenant", required=True, help="the tenant's short name")
    asking.add_argument("--as", dest="viewer", required=True, metavar="EMAIL", help="the member in whose eyes")
    asking.add_argument("--json", action="store_true", help="print one JSON object")
    commands_.add_parser("receive-reply", help="take in a mail, on standard input, that answers a question")
    evaluating = commands_.add_parser("eval", help="evaluate retrieval on a folder in BEIR form, or on all public sets")
    evaluating.add_argument("folder", type=Path, nargs="?")
    evaluating.add_argument("--data", type=Path, default=Path("../shared/data"), help="where the public sets lie")
    answering = commands_.add_parser("eval-answers", help="evaluate answers to questions that come with their passages")
    answering.add_argument("file", type=Path, metavar="FILE.jsonl")
    resolving = commands_.add_parser("resolve", help="say which records of people are one person")
    resolving.add_argument("file", type=Path, metavar="FILE.jsonl")
    matching = commands_.add_parser("match-names", help="score pairs of names (columns name1, name2)")
    matching.add_argument("file", type=Path, metavar="FILE.csv")
    for name, text in (
        ("detect", "print the frames and gaps of documents, given as lines {id, text, title?, date?, author?}"),
        ("contradictions", "print the pairs of statements in such documents that cannot both hold"),
    ):
        commands_.add_parser(name, help=text).add_argument("file", type=Path, metavar="FILE.jsonl")
    return parser
