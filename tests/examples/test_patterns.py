"""The examples of patterns: as scripts, which is on the local engine, and as plain Python."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import flowy

RunScript: TypeAlias = Callable[..., Any]
LoadExample: TypeAlias = Callable[[str], Any]

#: what each script prints
OUTPUTS = {
    "conditional": "the letter goes by post\nthe piano of 220 kg goes by truck\n",
    "error_handling": (
        "Rome has sun\n"
        "Paris has rain, probably\n"
        "Atlantis: guess-0-0 failed: ValueError: it is under water\n"
        "because of ValueError('it is under water')\n"
    ),
    "finish_order_map_reduce": "17 words\n",
    "first_of_several": "the answer of the server next door\n",
    "first_two": "15 coins in the corner shop\n",
    "naive_map_reduce": "17 words\n",
    "parallel_map_reduce": "17 words\n",
    "parallel_sum": "42.5 square metres\n",
    "parallel_wait": "Chapter 1\nChapter 2\nChapter 3\nChapter 4\n",
    "restart": "27 on 3 pages\n",
    "retry": "no connection\nno connection\nwhat do you think, how are you?\n",
    "sequence": "cake: 4.50\n",
    "sub_workflow": "63 coins\n",
    "toy": "104\n",
}


def add(one: int, other: int) -> int:
    return one + other


def fail(*args: Any) -> Any:
    raise LookupError(*args)


#: example, its workflow, plain functions for its dependencies, arguments, result
PLAIN: list[tuple[str, str, dict[str, Callable[..., Any]], tuple[Any, ...], Any]] = [
    (
        "conditional",
        "Dispatch",
        {"weigh": len, "send_by_post": "post {}".format, "send_by_truck": "truck {} {}".format},
        ("a book",),
        "post a book",
    ),
    (
        "conditional",
        "Dispatch",
        {"weigh": len, "send_by_post": "post {}".format, "send_by_truck": "truck {} {}".format},
        ("an encyclopaedia, bound",),
        "truck an encyclopaedia, bound 23",
    ),
    ("error_handling", "Weather", {"forecast": "{} fog".format, "guess": fail}, ("a",), "a fog"),
    ("error_handling", "Weather", {"forecast": fail, "guess": "{} hail".format}, ("b",), "b hail"),
    ("first_of_several", "Fastest", {"ask": str.upper}, (["a", "b"],), "A"),
    (
        "first_two",
        "BestOfTwo",
        {"ask_price": len, "cheaper": min},
        (["ten", "fifty", "a"],),
        3,
    ),
    ("parallel_sum", "FloorSpace", {"area": add}, ([(1, 2), (3, 4)],), 10),
    ("restart", "Total", {"fetch": lambda page: []}, (3, 27), "27 on 3 pages"),
    ("restart", "Total", {"fetch": lambda page: [page]}, (3, 27), flowy.restart(4, 30)),
    ("retry", "Question", {"ask": str.title}, ("why?",), "Why?"),
    (
        "sequence",
        "PriceLabel",
        {"look_up_price": len, "add_tax": lambda n: n + 1, "write_label": "{} {}".format},
        ("nut",),
        "nut 4",
    ),
    ("sub_workflow", "Order", {"look_up_price": len}, ("nut", 2), 6),
    ("sub_workflow", "Invoice", {"order": lambda item, n: n * 3}, ({"nut": 2, "fig": 5},), 21),
]


def test_every_example_is_tested(root: Path) -> None:
    scripts = {path.stem for path in (root / "docs" / "examples").glob("*.py")}
    assert scripts == {*OUTPUTS, "word_count", "dask_executor"}


def test_the_page_about_workflows_has_every_example(root: Path) -> None:
    page = (root / "docs" / "workflows.md").read_text(encoding="utf-8")
    linked = re.findall(r"\[(\w+\.py)\]\(examples/\1\)", page)
    scripts = [path.name for path in (root / "docs" / "examples").glob("*.py")]
    assert sorted(linked) == sorted(scripts)


@pytest.mark.parametrize(("name", "output"), OUTPUTS.items(), ids=OUTPUTS)
def test_a_script_prints(name: str, output: str, root: Path, run_script: RunScript) -> None:
    done = run_script(root / "docs" / "examples" / f"{name}.py")
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


@pytest.mark.parametrize(
    ("name", "workflow", "functions", "args", "result"),
    PLAIN,
    ids=[f"{name}-{number}" for number, (name, *_) in enumerate(PLAIN)],
)
def test_a_workflow_is_plain_python(
    name: str,
    workflow: str,
    functions: dict[str, Callable[..., Any]],
    args: tuple[Any, ...],
    result: Any,
    load_example: LoadExample,
) -> None:
    factory = getattr(load_example(name), workflow)
    assert factory(**functions)(*args) == result


@pytest.mark.parametrize("kind", ["naive", "finish_order", "parallel"])
def test_a_map_reduce_is_plain_python(kind: str, load_example: LoadExample) -> None:
    workflow = load_example(f"{kind}_map_reduce").WordCount(count_words=len, add=add)
    assert workflow(["a", "bc", "def"]) == 6


def test_parallel_wait_is_plain_python(load_example: LoadExample, tmp_path: Path) -> None:
    example = load_example("parallel_wait")
    book = example.Book(example.write_chapter, example.bind)
    assert book(str(tmp_path), 2) == "Chapter 1\nChapter 2\n"


def test_a_sub_workflow_is_a_plain_function_too(load_example: LoadExample) -> None:
    example = load_example("sub_workflow")
    invoice = example.Invoice(order=example.Order(example.look_up_price))
    assert invoice({"apple": 2, "pear": 1}) == 10


def test_toy_is_plain_python(
    load_example: LoadExample,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    toy = load_example("toy")
    assert capsys.readouterr().out == "104\n"
    assert toy.ExampleWorkflow(toy.square_activity, toy.sum_activity)(2, 10) == 104


def test_the_readme_shows_toy(root: Path) -> None:
    toy = (root / "docs" / "examples" / "toy.py").read_text(encoding="utf-8")
    assert f"```python\n{toy}```\n" in (root / "README.md").read_text(encoding="utf-8")
