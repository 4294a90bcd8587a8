"""Every public function says what it takes, gives and refuses."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "napari_s3net"
SPEAKS_FOR_ITSELF = {"None", "bool", "Self", "NoReturn"}


def public_functions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the public functions and methods of a module with their names; properties and overloads are none."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, f"{node.name}.")
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
            if not any(word in decorators for word in ("property", ".setter", "overload", "override")):
                yield prefix + node.name, node


def has_section(docstring: str, name: str) -> bool:
    """Return whether a numpydoc docstring has the section `name`."""
    return f"\n{name}\n{'-' * len(name)}\n" in docstring


def raises_itself(node: ast.AST) -> bool:
    """Return whether a function holds `raise SomeError(...)`; functions and classes inside it do not count."""
    inner = (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.FunctionDef | ast.ClassDef))
    return any((isinstance(child, ast.Raise) and child.exc is not None) or raises_itself(child) for child in inner)


def missing(function: ast.FunctionDef) -> list[str]:
    """Return what the docstring of a function does not tell: several parameters, a returned value, its own errors."""
    docstring = ast.get_docstring(function)
    if not docstring:
        return ["docstring"]
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    taken = [argument.arg for argument in arguments if argument.arg not in {"self", "cls"}]
    returns = ast.unparse(function.returns) if function.returns else "None"
    told_return = has_section(docstring, "Returns") or has_section(docstring, "Yields")
    return [
        section
        for section, is_missing in (
            ("Parameters", len(taken) > 1 and not has_section(docstring, "Parameters")),
            ("Returns", returns not in SPEAKS_FOR_ITSELF and not told_return),
            ("Raises", raises_itself(function) and not has_section(docstring, "Raises")),
        )
        if is_missing
    ]


def test_public_functions_are_documented() -> None:
    offenders = {
        f"{path.relative_to(PACKAGE).as_posix()}: {name}": what
        for path in PACKAGE.rglob("*.py")
        for name, function in public_functions(ast.parse(path.read_text(encoding="utf-8")).body)
        if (what := missing(function))
    }
    assert offenders == {}


def test_what_is_missing_is_found() -> None:
    module = ast.parse('''
class Seen:
    def described(self, one: int) -> None:
        """Do."""

    def bare(self): ...

    def _private(self): ...

def takes(one: int, two: int) -> int:
    """Take."""
    if one:
        raise ValueError("no")
''')
    assert {name: missing(function) for name, function in public_functions(module.body)} == {
        "Seen.described": [],
        "Seen.bare": ["docstring"],
        "takes": ["Parameters", "Returns", "Raises"],
    }
