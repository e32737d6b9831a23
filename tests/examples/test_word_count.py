"""Word count: real work over real files, and over all that is no text."""

from __future__ import annotations

import collections
import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import flowy

RunScript: TypeAlias = Callable[..., Any]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the odd files here are those of POSIX")

#: runs a command as a user who may not read everything, even where the tests run as root
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture
def word_count(load_example: Callable[[str], Any]) -> Any:
    return load_example("word_count")


@pytest.fixture
def run(root: Path, run_script: RunScript) -> RunScript:
    script = root / "docs" / "examples" / "word_count.py"
    return lambda *arguments, **options: run_script(script, *arguments, **options)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], str]:
    def write(content: str | bytes) -> str:
        path = tmp_path / "file.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


# --- one file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", {}),
        (" \n\t\r\n", {}),
        ("one two\none", {"one": 2, "two": 1}),
        ("Straße STRASSE strasse", {"strasse": 3}),
        (
            "don't don\N{RIGHT SINGLE QUOTATION MARK}t 'quoted' rock'n'roll",
            {"don't": 2, "quoted": 1, "rock'n'roll": 1},
        ),
        ("' '' dogs'", {"dogs": 1}),
        ("e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT} été", {"été": 2}),
        ("हिन्दी हिन्दी", {"हिन्दी": 2}),
        ("co\N{SOFT HYPHEN}op \N{ZERO WIDTH NO-BREAK SPACE}coop", {"coop": 2}),
        ("well-known a1b 42 x_y", {"well": 1, "known": 1, "a": 1, "b": 1, "x": 1, "y": 1}),
        ("__json__ { u} \\n", {"json": 1, "u": 1, "n": 1}),
    ],
)
@pytest.mark.parametrize("block", [1, 2, 3, 1 << 16])
def test_words_are_the_same_wherever_blocks_end(
    text: str,
    words: dict[str, int],
    block: int,
    word_count: Any,
    file: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(word_count, "BLOCK", block)
    assert word_count.count_words(file(text)) == {"words": words, "skipped": {}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"text\0text", "binary"),
        (b"text" * 100_000 + b"\0", "no text: more than 1000 letters in a row"),
        (b"text " * 100_000 + b"\0", "binary"),
        (b"caf\xe9", "not text in UTF-8"),
        (b"cut off: \xc3", "not text in UTF-8"),
        ("UTF-16 too".encode("utf-16"), "binary"),
    ],
)
def test_what_is_no_text_is_skipped_and_not_counted_in_part(
    content: bytes, reason: str, word_count: Any, file: Callable[[bytes], str]
) -> None:
    path = file(content)
    assert word_count.count_words(path) == {"words": {}, "skipped": {path: reason}}


def test_a_file_that_is_gone_by_now_is_skipped(word_count: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "gone")
    assert word_count.count_words(path) == {
        "words": {},
        "skipped": {path: "No such file or directory"},
    }


def test_a_file_is_never_read_as_a_whole(
    word_count: Any, file: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_count, "BLOCK", 1 << 10)
    path = file("one line without end " * 50_000)
    tracemalloc.start()
    try:
        tally = word_count.count_words(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tally["words"] == {"one": 50_000, "line": 50_000, "without": 50_000, "end": 50_000}
    assert peak < 200_000  # of a file of 1,050,000 bytes


def test_tallies_add_up(word_count: Any) -> None:
    one = {"words": {"a": 1, "b": 2}, "skipped": {"x": "binary"}}
    other = {"words": {"b": 3, "c": 4}, "skipped": {"y": "missing"}}
    assert word_count.add_tallies(one, other) == {
        "words": {"a": 1, "b": 5, "c": 4},
        "skipped": {"x": "binary", "y": "missing"},
    }
    assert one["words"] == {"a": 1, "b": 2}


# --- the workflow as plain Python ----------------------------------------------------------------


def test_the_workflow_is_plain_python(word_count: Any, file: Callable[[str], str]) -> None:
    workflow = word_count.WordCount(word_count.count_words, word_count.add_tallies)
    path = file("to be or not to be")
    assert workflow([]) == {"words": {}, "skipped": {}}
    assert workflow([path, path]) == {
        "words": {"to": 4, "be": 4, "or": 2, "not": 2},
        "skipped": {},
    }


def test_the_workflow_restarts_after_a_batch(
    word_count: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_count, "BATCH", 2)
    workflow = word_count.WordCount(
        lambda path: {"words": {path: 1}, "skipped": {}}, word_count.add_tallies
    )
    after_two = {"words": {"a": 1, "b": 1}, "skipped": {}}
    assert workflow(["a", "b"]) == after_two
    assert workflow(["a", "b", "c"]) == flowy.restart(["c"], after_two)


# --- the command ---------------------------------------------------------------------------------


def test_words_and_counts_are_aligned_and_ordered(run: RunScript, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("pear apple " * 5 + "the " * 100, encoding="utf-8")
    done = run("a.txt")
    assert (done.stdout, done.stderr, done.returncode) == ("100 the\n  5 apple\n  5 pear\n", "", 0)


def test_odd_things_are_told_and_the_rest_is_counted(run: RunScript, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "empty folder").mkdir()
    (tree / "empty.txt").touch()
    (tree / "deep" / "er" / "a.txt").write_text("found Found", encoding="utf-8")
    (tree / "-n b\n.txt").write_text("found", encoding="utf-8")
    os.link(tree / "-n b\n.txt", tree / "hard link")
    (tree / "link to a file").symlink_to("-n b\n.txt")
    (tree / "deep" / "loop").symlink_to(tree)
    (tree / "self").symlink_to("self")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tree / "latin.txt").write_bytes("déjà vu".encode("latin-1"))
    (tmp_path / "tree" / os.fsdecode(b"n\xe4me.bin")).write_bytes(b"\0")
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        # A socket's path must be short, which that of tmp_path may not be.
        folder = os.getcwd()
        os.chdir(tree)
        try:
            listener.bind("socket")
        finally:
            os.chdir(folder)
        with open(tree / "sparse", "wb") as sparse:
            sparse.truncate(1 << 40)  # whoever reads it as a whole gets a MemoryError
        done = run("tree", "tree/deep", "tree/image.png", "no such file", "")
    assert done.stdout == "3 found\n"
    assert done.stderr.splitlines() == [
        "word_count.py: skipped '': No such file or directory",
        "word_count.py: skipped 'no such file': No such file or directory",
        "word_count.py: skipped 'tree/dangling': No such file or directory",
        "word_count.py: skipped 'tree/image.png': binary",
        "word_count.py: skipped 'tree/latin.txt': not text in UTF-8",
        "word_count.py: skipped 'tree/n\\udce4me.bin': binary",
        "word_count.py: skipped 'tree/pipe': neither a file nor a folder",
        "word_count.py: skipped 'tree/self': Too many levels of symbolic links",
        "word_count.py: skipped 'tree/socket': neither a file nor a folder",
        "word_count.py: skipped 'tree/sparse': binary",
    ]
    assert done.returncode == 1


def test_unreadable_files_and_folders_are_told(run: RunScript, tmp_path: Path) -> None:
    before = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything, and there is no setpriv to forbid it")
        before = UNPRIVILEGED
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    secret.chmod(0)
    folder = tmp_path / "folder"
    folder.mkdir(mode=0)
    try:
        done = run("secret.txt", "folder", before=before)
    finally:
        folder.chmod(stat.S_IRWXU)
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.splitlines() == [
        "word_count.py: skipped 'folder': Permission denied",
        "word_count.py: skipped 'secret.txt': Permission denied",
    ]


def test_an_empty_folder_has_no_words(run: RunScript, tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_thousands_of_files_are_counted_as_a_simple_loop_counts_them(
    run: RunScript, tmp_path: Path
) -> None:
    draw = random.Random(5)
    letters = [draw.choices("abcdefghijklmnop", k=draw.randint(1, 4)) for _ in range(400)]
    vocabulary = ["".join(word) for word in letters]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    expected: collections.Counter[str] = collections.Counter()
    for number in range(2200):
        text = " ".join(draw.choices(vocabulary, weights, k=20)).capitalize() + ".\n"
        folder = tmp_path / str(number % 7)
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
        expected.update(re.findall("[a-z]+", text.lower()))
    done = run(tmp_path)
    assert done.stderr == ""
    counts = [line.split() for line in done.stdout.splitlines()]
    ranked = sorted(expected.items(), key=lambda item: (-item[1], item[0]))
    assert counts == [[str(count), word] for word, count in ranked[:20]]


def test_help_tells_how_to_use_it(run: RunScript) -> None:
    done = run("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: word_count.py [-h] path [path ...]\n")
    assert "a text file in UTF-8, or a folder" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: path"),
        (["--frobnicate", "."], "unrecognized arguments: --frobnicate"),
    ],
)
def test_a_wrong_command_line_ends_with_2(
    arguments: list[str], message: str, run: RunScript
) -> None:
    done = run(*arguments)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr == (
        f"usage: word_count.py [-h] path [path ...]\nword_count.py: error: {message}\n"
    )


def test_letters_that_the_output_has_not_are_shown_by_their_codes(
    run: RunScript, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("naïve", encoding="utf-8")
    done = run("a.txt", env={"PYTHONIOENCODING": "ascii"})
    assert (done.stdout, done.stderr, done.returncode) == ("1 na\\xefve\n", "", 0)


def test_a_reader_that_has_enough_is_no_error(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word", encoding="utf-8")
    script = root / "docs" / "examples" / "word_count.py"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, script, tmp_path / "a.txt"],
            stdout=writer,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert (done.stderr, done.returncode) == (b"", 0)


def test_ctrl_c_ends_with_130_and_one_line(root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word", encoding="utf-8")
    script = tmp_path / "stuck.py"
    script.write_text(
        "import os, signal, sys, threading\n"
        f"sys.path.insert(0, {str(root / 'docs' / 'examples')!r})\n"
        "import word_count\n"
        "def count_words(path):\n"
        "    print('counting', flush=True)\n"
        "    threading.Event().wait()\n"
        "word_count.count_words = count_words\n"
        "if __name__ == '__main__':\n"
        "    # A shell starts what is in the background with Ctrl-C ignored.\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    sys.exit(word_count.main(sys.argv[1:]))\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, script, tmp_path / "a.txt"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group, for Ctrl-C goes to all that is in it
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "counting\n"
        os.killpg(process.pid, signal.SIGINT)
        # Its end shows that no worker is left that holds the pipes open.
        output, errors = process.communicate(timeout=60)
    assert (output, errors, process.returncode) == ("", "stuck.py: interrupted\n", 130)
