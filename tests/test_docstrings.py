"""Every public function says what it takes, gives and refuses."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "napari_s3net"
SPEAKS_FOR_ITSELF = {"None", "Self", "NoReturn"}
#: What every command has: `add_arguments(parser)` and `run(options)`; `cli` says what they are.
OF_A_COMMAND = {"ArgumentParser", "Namespace"}


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


def is_of_a_command(function: ast.FunctionDef) -> bool:
    """Return whether a function is one of the two that every command has."""
    types = [ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation]
    return function.name in {"add_arguments", "run"} and len(types) == 1 and types[0] in OF_A_COMMAND


def missing(function: ast.FunctionDef) -> list[str]:
    """Return what the docstring of a function does not tell: parameters, a returned value, its own errors.

    Qt gives its methods their parameters; a parameter that is called `_` means nothing.
    """
    docstring = ast.get_docstring(function)
    if not docstring:
        return ["docstring"]
    if docstring.startswith("For Qt:") or is_of_a_command(function):
        return []
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    taken = [argument.arg for argument in arguments if argument.arg not in {"self", "cls", "_"}]
    returns = ast.unparse(function.returns) if function.returns else "None"
    told_return = has_section(docstring, "Returns") or has_section(docstring, "Yields")
    return [
        section
        for section, is_missing in (
            ("Parameters", bool(taken) and not has_section(docstring, "Parameters")),
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
    def described(self) -> None:
        """Do."""

    def clicked(self, _: bool = False) -> None:
        """Do."""

    def one(self, word: str) -> None:
        """Do."""

    def is_done(self) -> bool:
        """Whether it is."""

    def event(self, event: QEvent) -> bool:
        """For Qt: look on."""

    def bare(self): ...

    def _private(self): ...

def run(options: Namespace) -> int:
    """Do."""

def takes(one: int, two: int) -> int:
    """Take."""
    if one:
        raise ValueError("no")
''')
    assert {name: missing(function) for name, function in public_functions(module.body)} == {
        "Seen.described": [],
        "Seen.clicked": [],
        "Seen.one": ["Parameters"],
        "Seen.is_done": ["Returns"],
        "Seen.event": [],
        "Seen.bare": ["docstring"],
        "run": [],
        "takes": ["Parameters", "Returns", "Raises"],
    }
