"""The sizes that the house keeps to: small modules, small functions, nothing printed or caught."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from statistics import median

import pytest

import kilowhat

PACKAGE = Path(kilowhat.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 400, 90, 10
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, Function)]


def whole_length(function: Function) -> int:
    """Lines from ``def`` to the last statement, docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def code_length(function: Function) -> int:
    """The same without the docstring, which may be as long as it needs to be."""
    first = function.body[0]
    said = ast.get_docstring(function) is not None
    return whole_length(function) - (
        (first.end_lineno or first.lineno) - first.lineno + 1 if said else 0
    )


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_every_module_was_found() -> None:
    assert len(MODULES) > 60
    assert {"cli", "assessment", "methods"} <= {path.parent.name for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


def test_functions_are_short() -> None:
    everything = {
        f"{name(path)}:{function.name}": whole_length(function)
        for path in MODULES
        for function in functions(path)
    }
    too_long = {where: lines for where, lines in everything.items() if lines > LONGEST_FUNCTION}
    assert too_long == {}


def test_most_functions_are_very_short() -> None:
    assert median(code_length(f) for path in MODULES for f in functions(path)) <= MEDIAN_FUNCTION


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_has_state_to_rebind(path: Path) -> None:
    assert not [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Global)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_the_command_line_prints(path: Path) -> None:
    if "cli" in path.relative_to(PACKAGE).parts:
        return
    calls = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "input")
    ]
    assert not calls


def _is_broad(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))
        for kind in kinds
    )


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_hooks_catch_everything(path: Path) -> None:
    if "hooks" in path.relative_to(PACKAGE).parts:
        return
    handlers = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler)]
    assert not [handler.lineno for handler in handlers if _is_broad(handler)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_names_say_what_a_module_holds(path: Path) -> None:
    assert not {"utils", "util", "helpers", "common", "misc"} & set(
        path.relative_to(PACKAGE).with_suffix("").parts
    )


def loaded_by(code: str) -> set[str]:
    """The modules that some code loads in a fresh interpreter."""
    whole = f"{code}\nimport sys; print(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)
    return {module.partition(".")[0] for module in done.stdout.splitlines()[-1].split()}


HEAVY = {"numpy", "click", "rich", "platformdirs", "scipy", "pandas", "pydantic", "duckdb"}


def test_importing_the_package_costs_nothing() -> None:
    assert not HEAVY & loaded_by("import kilowhat")


def test_help_needs_no_numbers() -> None:
    code = "from kilowhat.cli import run\nassert run(['--help']) == 0"
    assert not (HEAVY - {"click", "platformdirs"}) & loaded_by(code)


def test_an_estimate_needs_only_what_the_package_depends_on() -> None:
    code = "from kilowhat import estimate\nestimate('gpt-4o', out=10)"
    assert not (HEAVY - {"numpy"}) & loaded_by(code)


def test_the_public_names_are_the_ones_that_load() -> None:
    assert set(kilowhat.__all__) == {*kilowhat._HOMES, "__version__"}
    for public in kilowhat.__all__:
        assert getattr(kilowhat, public) is not None
    with pytest.raises(AttributeError, match="no attribute"):
        kilowhat.estimat  # noqa: B018
    assert dir(kilowhat) == sorted(kilowhat.__all__)
