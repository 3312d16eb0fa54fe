"""A Jupyter Server setting that lets pictures through at once.

The operating system holds small messages back until the ones before are acknowledged (Nagle's algorithm), about
40 ms for each picture. Start JupyterLab with
`--ServerApp.kernel_websocket_connection_class=course_lib.server.PromptConnection` to switch that off.
"""

from asyncio import Future

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """A kernel's connection to the browser that sends each message at once."""

    def connect(self) -> Future | None:
        """Connect without Nagle's algorithm."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
