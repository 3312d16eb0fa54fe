"""Nothing that was recorded is ever lost: several kernels at once, kills, damage, a full or closed disk."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from course_lib.classroom import progress

import pytest

HAMMER = """
import sys
from course_lib.classroom import progress
for i in range(int(sys.argv[2])):
    progress.record_attempt(sys.argv[1], f"exercise {i}", True)
"""

KILLS = """
import json, os, signal, time
from course_lib.classroom import progress
for kill in range(20):
    begun, report = os.pipe()
    child = os.fork()
    while child == 0:
        progress.record_attempt("08", f"kill {kill}", True)
        os.write(report, b".")
    os.read(begun, 1)
    time.sleep(0.0007 * kill)
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    json.loads(progress.path().read_text())
"""


def hammer(lesson: str, times: int) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", HAMMER, lesson, str(times)])


def test_the_place(monkeypatch):
    assert progress.path().name == "progress.json"
    monkeypatch.delenv("COURSE_PROGRESS")
    assert progress.path().parent.name == "generative-ai-from-first-principles"


def test_reading_writes_nothing():
    assert progress.load() == {"exercises": {}, "bets": {}, "evidence": {}}
    assert not progress.path().exists()


@pytest.mark.slow
def test_several_kernels_lose_no_update():
    kernels = [hammer(f"0{i}", 40) for i in range(3)]
    assert [kernel.wait() for kernel in kernels] == [0, 0, 0]
    assert {lesson: len(names) for lesson, names in progress.load()["exercises"].items()} == {
        "00": 40, "01": 40, "02": 40,
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_killed_at_any_moment_the_file_parses():
    subprocess.run([sys.executable, "-c", KILLS], check=True)
    assert set(progress.load()["exercises"]["08"]) == {f"kill {kill}" for kill in range(20)}
    assert not list(progress.path().parent.glob("*damaged*"))


@pytest.mark.parametrize("text", [
    b"{", b"\xff\xfe", b"[1]", b"", b"[" * 200_000, b'{"exercises": 3}',
    b'{"exercises": {"08": [1]}, "bets": {}, "evidence": {}}',
])
def test_a_damaged_file_is_kept_and_said_once(text, capsys):
    progress.path().write_bytes(text)
    progress.record_attempt("08", "one", True)
    progress.record_attempt("08", "two", True)
    assert capsys.readouterr().out.count("The progress file was damaged") == 1
    (kept,) = progress.path().parent.glob("progress.damaged-*.json")
    assert kept.read_bytes() == text
    assert set(progress.load()["exercises"]["08"]) == {"one", "two"}


def test_an_unwritable_place_is_said_once_and_the_course_goes_on(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    progress.record_attempt("08", "one", True)
    progress.record_attempt("08", "two", True)
    assert capsys.readouterr().out.count("Your progress cannot be saved") == 1
    assert set(progress.load()["exercises"]["08"]) == {"one", "two"}


def test_a_full_disk_keeps_what_was_there(monkeypatch, capsys):
    progress.record_attempt("08", "one", True)
    before = progress.path().read_text()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    progress.record_attempt("08", "two", True)
    assert "No space left on device. The course goes on" in capsys.readouterr().out
    assert progress.path().read_text() == before
    assert set(progress.load()["exercises"]["08"]) == {"one", "two"}


def test_a_directory_in_the_files_place(capsys):
    progress.path().mkdir()
    progress.record_attempt("08", "one", True)
    assert "one" in progress.load()["exercises"]["08"]
    assert "cannot be saved" in capsys.readouterr().out


def test_export_and_reset(tmp_path):
    progress.record_attempt("08", "one", True)
    assert "one" in json.loads(progress.export(tmp_path / "mine.json").read_text())["exercises"]["08"]
    kept = progress.reset()
    assert "one" in json.loads(kept.read_text())["exercises"]["08"]
    assert progress.load()["exercises"] == {}


def test_what_was_exported_comes_back(tmp_path):
    progress.record_attempt("08", "one", True)
    exported = progress.export(tmp_path / "mine.json")
    progress.reset()
    progress.record_attempt("08", "two", True)
    kept = progress.restore(exported)
    assert set(progress.load()["exercises"]["08"]) == {"one"}
    assert set(json.loads(kept.read_text())["exercises"]["08"]) == {"two"}


def test_what_another_kernel_writes_during_a_reset_is_kept(monkeypatch):
    write, others = Path.write_text, []

    def slowly(path, *arguments, **options):
        others.append(threading.Thread(target=progress.record_attempt, args=("09", "meanwhile", True)))
        others[0].start()
        others[0].join(timeout=0.3)  # another kernel has all this time
        return write(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", slowly)
    progress.reset()
    others[0].join()
    assert "meanwhile" in progress.load()["exercises"]["09"]


def test_what_is_no_progress_file_is_refused(tmp_path):
    progress.record_attempt("08", "one", True)
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(ValueError, match=r"`source` must be a file that `progress.export` wrote; got '.*other.json'"):
        progress.restore(tmp_path / "other.json")
    with pytest.raises(FileNotFoundError):
        progress.restore(tmp_path / "missing.json")
    assert set(progress.load()["exercises"]["08"]) == {"one"}
