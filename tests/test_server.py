"""The server's setting: no message waits for the one before."""

import subprocess
import sys
from types import SimpleNamespace

from course_lib.server import PromptConnection

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


def test_nagle_s_algorithm_is_off_before_anything_is_sent(monkeypatch):
    heard = []
    monkeypatch.setattr(ZMQChannelsWebsocketConnection, "connect", lambda self: heard.append("connected"))
    handler = SimpleNamespace(set_nodelay=lambda on: heard.append(("no delay", on)))
    monkeypatch.setattr(PromptConnection, "websocket_handler", handler)
    PromptConnection.__new__(PromptConnection).connect()
    assert heard == [("no delay", True), "connected"]


def test_the_server_accepts_the_setting():
    option = "--ServerApp.kernel_websocket_connection_class=course_lib.server.PromptConnection"
    command = [sys.executable, "-m", "jupyter", "server", option, "--show-config"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "course_lib.server.PromptConnection" in shown.stdout
    assert shown.returncode == 0, shown.stderr
