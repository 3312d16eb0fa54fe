"""A Jupyter Server extension that lets pictures through at once.

The operating system holds small messages back until the ones before are acknowledged (Nagle's algorithm), about
40 ms for each picture. Installing the course switches that off in every JupyterLab of the same environment, by
`server_config.json`, and nothing else is needed: `jupyter server extension disable course_lib.server` leaves it on.
"""

import os
from asyncio import Future

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A kernel's connection to the browser that sends each message at once."""

    def connect(self) -> Future | None:
        """Connect without Nagle's algorithm."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "course_lib.server"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    settings = server.web_app.settings
    if settings["kernel_websocket_connection_class"] is ZMQChannelsWebsocketConnection:  # a gateway has its own
        settings["kernel_websocket_connection_class"] = PromptConnection
        os.environ["COURSE_SERVER"] = "prompt"  # its kernels inherit it: by this the doctor knows
