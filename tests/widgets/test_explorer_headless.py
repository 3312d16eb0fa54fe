"""Explorers without a browser: state, errors, threads, what is left where no widget can be shown."""

import base64
import threading

from course_lib.widgets import Explorer, LiveFigure, button, memory, slider
from course_lib.widgets import explorer as explorer_module

import nbformat
import pytest
from drive import drive
from matplotlib.figure import Figure
from nbconvert import HTMLExporter
from specimens import every_control, faulty, playing, pulled, stuck


def ask(explorer, *steps, seq=1, **more):
    """What the browser sends."""
    explorer._handle_custom_msg({"view": "v", "seq": seq, "steps": list(steps), **more}, [])


def label_of(**controls) -> Explorer:
    """An explorer whose only artist is the axes' title."""
    figure = Figure(figsize=(3, 2))
    title = figure.subplots().set_title("")

    def draw(**values):
        title.set_text(str(values))
        return str(values)

    return Explorer(figure, draw, title="Values", **controls)


@pytest.mark.parametrize("make", [every_control, playing, pulled])
def test_every_control_changes_the_picture(make):
    drive(make())


def test_drive_finds_a_picture_that_never_changes():
    with pytest.raises(AssertionError, match="`x` never changed the picture"):
        drive(stuck())


def test_drive_finds_an_exception():
    with pytest.raises(ZeroDivisionError):
        drive(faulty())


def test_drive_finds_numbers_that_are_not_finite():
    with pytest.raises(AssertionError, match="not finite"):
        drive(label_of(x=slider(0, 1, 0, label="x"), y=memory(float("nan"))))


def test_drive_finds_buttons_that_do_nothing():
    with pytest.raises(AssertionError, match="No button ever changed the picture"):
        drive(label_of(nothing=button("Nothing", lambda values: {})))


def test_state_round_trip():
    explorer, other = every_control(), every_control()
    explorer.set(phase=2.5, shape="cosine", at=[[5, 1], [8, 0]], rectified=True, count=7)
    other.set(**explorer.state)
    assert other.state == explorer.state
    assert other.png() == explorer.png()
    assert other.alt == explorer.alt == "A cosine of phase 2.50, 1 waves, 7 presses, first point [5.0, 1.0]."


def test_the_state_is_a_copy():
    explorer = every_control()
    explorer.state["at"][0][0] = 9.0
    assert explorer.state["at"] == [[2.0, 0.0], [8.0, 0.0]]


def test_an_action_cannot_change_the_state_behind_the_explorer():
    def spoil(values):
        values["kept"].append(1)
        raise ArithmeticError("after the list was changed")

    explorer = label_of(kept=memory([]), spoil=button("Spoil", spoil))
    with pytest.raises(ArithmeticError, match="after the list was changed"):
        explorer.press("spoil")
    assert explorer.state == {"kept": []}


@pytest.mark.parametrize(("act", "message"), [
    (lambda e: e.set(mean=1), r"`mean` must be one of the values \['phase', .*'count'\]\."),
    (lambda e: e.set(press=1), r"`press` must be one of the values"),
    (lambda e: e.set(phase=7), r"`phase` must be a number from 0 to 6; got 7\."),
    (lambda e: e.press("phase"), r"`name` must be one of the buttons \['press'\]; got 'phase'\."),
    (lambda e: e.press("nobody"), r"`name` must be one of the buttons \['press'\]; got 'nobody'\."),
])
def test_bad_input_is_refused_and_changes_nothing(act, message):
    explorer = every_control()
    before = explorer.state, explorer.png(), explorer.alt
    with pytest.raises(ValueError, match=message):
        act(explorer)
    assert (explorer.state, explorer.png(), explorer.alt) == before


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_an_empty_alternative_text_is_refused(alt):
    message = r"`alt` must be the picture's alternative text, not empty; got "
    with pytest.raises(ValueError, match=message):
        LiveFigure(Figure(), alt)
    explorer = Explorer(Figure(), lambda x: alt if x else "Good.", title="Alt", x=slider(0, 1, 0, label="x"))
    with pytest.raises(ValueError, match=message):
        explorer.set(x=1)
    assert explorer.state == {"x": 0}


def test_an_action_must_return_a_dict():
    explorer = label_of(silent=button("Silent", lambda values: None))
    with pytest.raises(ValueError, match=r"`action` of 'silent' must return a dict of changed values; got None\."):
        explorer.press("silent")


def test_steps_of_one_message_are_carried_out_in_order_and_drawn_once():
    drawn = []
    explorer = Explorer(
        Figure(), lambda x: drawn.append(x) or f"x is {x}.", title="Order", x=slider(0, 100, 1, label="x"),
        double=button("Double", lambda values: {"x": 2 * values["x"]}))
    ask(explorer, {"press": "double"}, {"set": {"x": 10}}, {"press": "double"}, {"press": "double"})
    assert drawn == [1, 40]
    assert explorer.answer["state"] == {"x": 40}


def test_every_message_is_answered_with_its_number():
    explorer = every_control()
    ask(explorer, {"set": {"phase": 2}}, seq=5)
    assert (explorer.answer["view"], explorer.answer["seq"], explorer.answer["error"]) == ("v", 5, "")
    ask(explorer, {"set": {"phase": 99}}, seq=6)
    assert (explorer.answer["seq"], explorer.answer["state"]["phase"]) == (6, 2.0)
    assert "ValueError: `phase` must be a number from 0 to 6; got 99." in explorer.answer["error"]


def test_an_exception_is_described_and_survived():
    explorer = faulty()
    before = explorer.png()
    ask(explorer, {"set": {"x": 5}})
    assert explorer.answer["error"].startswith("ZeroDivisionError")
    assert explorer.answer["error"].endswith('ax.set_title(f"{1 / (5 - x):.3f}")')
    assert explorer.png() == before
    assert explorer.state == {"x": 1}
    ask(explorer, {"set": {"x": 4}}, seq=2)
    assert explorer.answer["error"] == ""
    assert explorer.state == {"x": 4}


def test_the_course_s_own_line_is_named_where_it_is_installed_among_other_packages(monkeypatch):
    monkeypatch.setattr(explorer_module, "COURSE", "/site-packages/course_lib")
    names = {"fail": exec, "theirs": compile("1 // 0", "/site-packages/numpy/core.py", "exec")}
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile("fail(theirs)", "/site-packages/course_lib/lessons/n08.py", "exec"), names)
    error = caught.value.with_traceback(caught.tb.tb_next)  # without this test's own line
    assert explorer_module._described(error).splitlines()[1].startswith("in <module>, line 1")


def test_the_browser_is_answered_under_the_lock(monkeypatch):
    """A sharper figure, or an old picture with an error, must not come between another thread's drawing and sending."""
    explorer, owned = every_control(), []
    monkeypatch.setattr(explorer._picture, "sharpen", lambda: owned.append(explorer._lock._is_owned()))
    monkeypatch.setattr(explorer, "_publish", lambda *_, **__: owned.append(explorer._lock._is_owned()))
    ask(explorer, {"set": {"phase": 99}}, sharp=True)
    assert owned == [True, True]


def test_from_python_an_exception_is_raised():
    explorer = faulty()
    with pytest.raises(ZeroDivisionError):
        explorer.set(x=5)
    assert explorer.state == {"x": 1}


def test_handles_lie_where_their_axes_are():
    (left, bottom), (right, top) = every_control().answer["corners"]["at"]
    assert (left, bottom, right, top) == pytest.approx((0.1, 0.1, 0.9, 0.9))


def test_a_fine_screen_asks_for_a_fine_picture():
    explorer = every_control()
    before = len(explorer.png())
    ask(explorer, sharp=True)
    assert len(explorer.png()) > 1.5 * before
    assert explorer.face["size"] == [700, 400]


def test_two_threads_wait_for_each_other():
    """Without the lock, a press that reads the state before another's is written would be lost."""
    explorer = every_control()

    def press_often():
        for _ in range(20):
            explorer.press("press")

    threads = [threading.Thread(target=press_often) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert explorer.state["count"] == 60
    twin = every_control()
    twin.set(count=60)
    assert explorer.png() == twin.png()


def test_torch_has_one_thread_beside_the_main_thread_only(monkeypatch):
    asked = []
    monkeypatch.setattr("torch.set_num_threads", lambda count: asked.append((count, threading.current_thread())))
    explorer_module._use_one_thread()
    assert asked == []
    thread = threading.Thread(target=lambda: [explorer_module._use_one_thread() for _ in range(2)])
    thread.start()
    thread.join()
    assert asked == [(1, thread)]


def test_a_picture_is_left_where_no_widget_can_be_shown():
    explorer = label_of(x=slider(0, 1, 0, label='a "quoted" <label>'), words=memory('"<'))
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == explorer.alt
    assert 'alt="{&#x27;x&#x27;: 0, &#x27;words&#x27;: &#x27;&quot;&lt;&#x27;}"' in data["text/html"]
    assert base64.b64encode(explorer.png()).decode() in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_an_exported_page_shows_the_picture():
    explorer = every_control()
    data, metadata = explorer._repr_mimebundle_()
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("display_data", data=data, metadata=metadata)])
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert base64.b64encode(explorer.png()).decode() in page


def test_a_live_figure_is_redrawn_in_place():
    figure = Figure(figsize=(3, 2))
    (line,) = figure.subplots().plot([0, 1], [0, 1])
    live = LiveFigure(figure, "A rising line.", title="Line", moving=line)
    before = live.png()
    line.set_ydata([1, 0])
    live.refresh("A falling line.")
    assert live.alt == "A falling line."
    assert live.png() != before
