"""What the reader has done: one local JSON file, written atomically, shared safely by several kernels."""

import copy
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock
from IPython.display import display
from platformdirs import user_data_path

from .face import Card

SECTIONS = ("exercises", "bets", "evidence")
PATIENCE = 10               # seconds to wait for another kernel's write
UNSAVED = "The course goes on; what you do now is remembered until this kernel ends."

_memory: dict[Path, dict] = {}          # what cannot be written is kept here, for this kernel


class BetsSummary(NamedTuple):
    """The settled bets: how many, their log scores in nats, and what uniform bets would have scored."""

    number: int
    nats: float
    uniform_nats: float


def path() -> Path:
    """The progress file: COURSE_PROGRESS, or progress.json in the user's data folder."""
    named = os.environ.get("COURSE_PROGRESS")
    return Path(named) if named else user_data_path("generative-ai-from-first-principles") / "progress.json"


def load() -> dict:
    """What has been recorded: {"exercises": {lesson: {name: …}}, "bets": …, "evidence": …}."""
    return _change(lambda data: None)


def record_attempt(lesson: str, name: str, passed: bool | None) -> None:
    """Count an attempt (an untouched stub is none); keep when the last was, and when one first passed."""
    if passed is None:
        return

    def edit(data: dict) -> None:
        entry = _entry(data, "exercises", lesson, name)
        entry.update(tries=entry.get("tries", 0) + 1, last=now())
        if passed:
            entry.setdefault("passed", now())

    _change(edit)


def record_hint(lesson: str, name: str, number: int) -> None:
    """Keep the highest hint that was seen."""
    def edit(data: dict) -> None:
        entry = _entry(data, "exercises", lesson, name)
        entry["hints"] = max(number, entry.get("hints", 0))

    _change(edit)


def record_solution_seen(lesson: str, name: str) -> None:
    """Keep when the solution was first seen."""
    _change(lambda data: _entry(data, "exercises", lesson, name).setdefault("solution_seen", now()))


def record_bet(lesson: str, name: str, **facts: Any) -> None:
    """Add facts about a bet, such as `placed` or `nats`; a settled bet stays as it is."""
    def edit(data: dict) -> None:
        entry = _entry(data, "bets", lesson, name)
        if "nats" not in entry:
            entry.update(facts)

    _change(edit)


def record_evidence(statement: str, what: str, **facts: Any) -> None:
    """Keep the last measurement of each number."""
    _change(lambda data: _entry(data, "evidence", statement, what).update(facts, time=now()))


def bets_summary() -> BetsSummary:
    """The settled bets of the whole course."""
    settled = list(settled_bets())
    return BetsSummary(
        len(settled), sum(bet["nats"] for bet in settled), sum(bet["uniform_nats"] for bet in settled)
    )


def settled_bets() -> Iterator[dict]:
    """The entries of all bets that were placed and settled."""
    for lesson in load()["bets"].values():
        yield from (bet for bet in lesson.values() if "nats" in bet)


def export(to: str | Path) -> Path:
    """Write all progress to the file `to`."""
    Path(to).write_text(_text(load()), encoding="utf-8")
    return Path(to)


def reset() -> Path:
    """Begin anew; returns the dated copy of what was there."""
    return _replace(_empty(), _dated("before-reset"))


def restore(source: str | Path) -> Path:
    """Take over what `export` wrote, here or on another computer; returns the dated copy of what was there.

    Raises ValueError if `source` is no progress file, OSError if it cannot be read; nothing is changed then.
    """
    Path(source).stat()                                  # a missing file is no empty course here
    found = _readable(Path(source))
    if found is None:
        raise ValueError(f"`source` must be a file that `progress.export` wrote; got {str(source)!r}.")
    return _replace(found, _dated("before-restore"))


def now() -> str:
    """The time in UTC, as an ISO string."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _empty() -> dict:
    return {section: {} for section in SECTIONS}


def _entry(data: dict, *keys: str) -> dict:
    for key in keys:
        data = data.setdefault(key, {})
    return data


def _replace(new: dict, kept: Path) -> Path:
    """Put `new` in the place of what is there, of which `kept` becomes a copy: at once, for others may write, too."""
    def edit(data: dict) -> None:
        kept.write_text(_text(data), encoding="utf-8")
        data.update(new)

    _change(edit)
    return kept


def _change(edit: Callable[[dict], Any]) -> dict:
    """Apply `edit` to what the file holds and write it back if it changed; the result."""
    place = path()
    if place not in _memory:
        try:
            return _change_file(place, edit)
        except OSError as error:                         # a lock that cannot be had is an OSError, too
            _memory[place] = _last_known(place)
            display(Card("✗", "Your progress cannot be saved", f"{error}. {UNSAVED}"))
    edit(_memory[place])
    return copy.deepcopy(_memory[place])


def _change_file(place: Path, edit: Callable[[dict], Any]) -> dict:
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock", timeout=PATIENCE):
        data = _readable(place)
        if data is None:
            _set_aside(place)
            data = _empty()
        before = _text(data)
        edit(data)
        if _text(data) != before:
            _write(place, _text(data))
    return data


def _readable(place: Path) -> dict | None:
    """What the file holds, an empty course if there is no file, None if it is damaged."""
    try:
        data = json.loads(place.read_bytes())
    except FileNotFoundError:
        return _empty()
    except (ValueError, RecursionError):
        return None
    return data if _is_whole(data) else None


def _last_known(place: Path) -> dict:
    """What the file holds if it can still be read, an empty course otherwise."""
    try:
        return _readable(place) or _empty()
    except OSError:
        return _empty()


def _is_whole(data: Any) -> bool:
    """Whether `data` is three sections of entries by two keys."""
    if not isinstance(data, dict):
        return False
    sections = [data.get(section) for section in SECTIONS]
    groups = [group for section in sections if isinstance(section, dict) for group in section.values()]
    entries = [entry for group in groups if isinstance(group, dict) for entry in group.values()]
    return all(isinstance(part, dict) for part in (*sections, *groups, *entries))


def _set_aside(place: Path) -> None:
    kept = _dated("damaged")
    os.replace(place, kept)
    text = f"It is kept as `{kept}`; a fresh one has begun."
    display(Card("✗", "The progress file was damaged", text))


def _dated(why: str) -> Path:
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    return path().with_name(f"{path().stem}.{why}-{time}.json")


def _text(data: dict) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)


def _write(place: Path, text: str) -> None:
    """Replace the file in one step: a reader, or a crash, sees the old text or the new."""
    draft = place.with_name(f"{place.name}.draft")       # one writer at a time: the caller holds the lock
    with open(draft, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, place)
