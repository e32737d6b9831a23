"""How pages are read and compared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.examples.pages import Shell, Step, alike, steps_of

PAGE = """\
Save this as `a.py`:

```python
A = 1
```

and read `b.sh`:

```sh
B=2
```

```sh
not for this page
```

```console
$ python a.py
$ echo one \\
    two
one two
```

Start it in a terminal of its own:

```console
$ serve
ready
```

```python
print(3)
```

```text
3
```

```python
print(4)
```
"""


def test_the_steps_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    assert list(steps_of(page)) == [
        Step("save", "A = 1\n", None, 4, "a.py"),
        Step("save", "B=2\n", None, 10, "b.sh"),
        Step("type", "python a.py", "", 18),
        Step("type", "echo one \\\n    two", "one two\n", 19),
        Step("leave running", "serve", "ready\n", 27),
        Step("run", "print(3)\n", "3\n", 32),
        Step("run", "print(4)\n", None, 40),
    ]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("took 1.75 s\n", "took 2 s\n"),
        ("code < 1 %\n", "code 2 %\n"),
        ("1 passed in 0.01s\n", "1 passed in 0.31s\n"),
        ("   0.500      250 ms  ship-0\n", "   1.502      1.25 s  ship-0  queued 3 ms\n"),
        ("run id       22HR\n", "run id       22Zx/=\n"),
        ('File "...services.py"\n', 'File "somewhere/services.py"\n'),
        ("at 2026-11-24 22:38:51 UTC; 23 h 59 min\n", "at 2027-01-02 01:02:03 UTC; 1 h 2 min\n"),
    ],
)
def test_what_varies_is_not_compared(shown: str, printed: str) -> None:
    assert alike(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("3 parcels\n", "4 parcels\n"),
        ("1 passed in 0.01s\n", "2 passed in 0.01s\n"),
        ("ship-0\n", "ship-0\nship-1\n"),
        ("", "an error\n"),
    ],
)
def test_what_does_not_vary_is_compared(shown: str, printed: str) -> None:
    assert not alike(shown, printed)


def test_what_a_file_sets_is_set_in_all_terminals(tmp_path: Path) -> None:
    (tmp_path / "set.sh").write_text('export WHERE="over the\nhills"\n', encoding="utf-8")
    shell = Shell(tmp_path, {"PATH": "/usr/bin:/bin"})
    assert shell.type(". ./set.sh") == ""
    assert shell.type('echo "$WHERE"') == "over the\nhills\n"


def test_a_command_that_goes_on_is_ended_in_the_end(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"PATH": "/usr/bin:/bin"})
    try:
        command = "sh -c 'echo $$ >id; echo one; echo two; exec sleep 1000'"
        assert shell.leave_running(command, "one\n") == "one\n"
    finally:
        shell.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "id").read_text()), 0)
