"""The four rules of the design, kept by walking the code itself."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOMAIN_MAY_IMPORT = {"msgspec", "numpy", "networkx", "domain"} | set(sys.stdlib_module_names)
MUTABLE_CALLS = {"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict", "WeakValueDictionary"}
REMEMBERING = {"lru_cache", "cache", "cached_property"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return name_of(function)
        case _:
            return ""


@pytest.mark.parametrize("path", modules("domain"), ids=lambda path: path.name)
def test_the_domain_imports_only_the_standard_library_msgspec_numpy_and_networkx(path: Path) -> None:
    foreign = {name for name in imported(path) if name.split(".")[0] not in DOMAIN_MAY_IMPORT}
    assert not foreign


@pytest.mark.parametrize("path", modules("domain"), ids=lambda path: path.name)
def test_the_domain_remembers_nothing_between_calls(path: Path) -> None:
    module = tree(path)
    for statement in module.body:
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        is_mutable = isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp) or (
            isinstance(value, ast.Call) and name_of(value.func) in MUTABLE_CALLS
        )
        assert not is_mutable, f"{path.name}:{statement.lineno} keeps something mutable at module level"
    for node in ast.walk(module):
        assert not isinstance(node, ast.Global | ast.Nonlocal), f"{path.name}:{node.lineno}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            remembering = REMEMBERING.intersection(name_of(each) for each in node.decorator_list)
            assert not remembering, f"{path.name}:{node.lineno} caches in the process"


def test_web_and_infra_never_import_each_other_nor_the_composition_root() -> None:
    for folder, other in (("web", "infra"), ("infra", "web"), ("domain", "web"), ("domain", "infra")):
        for path in modules(folder):
            met = [name for name in imported(path) if name.split(".")[0] in (other, "main")]
            assert not met, f"{path} imports {met}"


def test_only_the_composition_root_reads_the_environment() -> None:
    for folder in ("domain", "infra", "web"):
        for path in modules(folder):
            for node in ast.walk(tree(path)):
                reads = isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
                assert not reads, f"{path}:{node.lineno} reads the environment"


def test_no_store_method_takes_a_tenant() -> None:
    """Stores are bound when they are opened. The lobby is the exception: there the tenant is not known yet."""
    for path in modules("infra/store"):
        if path.name == "lobby.py":
            continue
        for found in ast.walk(tree(path)):
            if not isinstance(found, ast.ClassDef):
                continue
            for method in (each for each in found.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)):
                names = [argument.arg for argument in (*method.args.args, *method.args.kwonlyargs)]
                assert not [name for name in names if "tenant" in name], f"{path.name}: {found.name}.{method.name}"


@pytest.mark.parametrize("folder", ["domain", "infra", "web"])
def test_every_module_says_what_the_reader_finds(folder: str) -> None:
    for path in modules(folder):
        assert ast.get_docstring(tree(path)), f"{path} has no docstring"


@pytest.mark.parametrize("folder", ["domain", "infra", "web"])
def test_files_stay_small_enough_to_know_ones_way_in_them(folder: str) -> None:
    for path in modules(folder):
        assert len(path.read_text().splitlines()) <= 350, f"{path} has grown too large"
