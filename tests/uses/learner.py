"""A learner without a browser: logs in to a hub, opens a notebook, runs all, and moves an explorer's slider."""

import asyncio
import itertools
import time
from typing import Any

import aiohttp
import nbformat
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1

PATIENCE = 600  # seconds for one cell or one picture on a machine that is full
PROTOCOL = "v1.kernel.websocket.jupyter.org"


class Learner:
    """One learner on a hub; `enter`, `fetch`, `open`, `run_all` and `move` go in this order.

    Raises: AssertionError naming the learner when a cell or a picture fails, TimeoutError when nothing comes.
    """

    def __init__(self, address: str, name: str) -> None:
        self.name = name
        self._web = aiohttp.ClientSession(address, cookie_jar=aiohttp.CookieJar(unsafe=True))  # unsafe: by number
        self._session = Session(key=b"")
        self._awaited = {}  # replies and idle kernels by the request's identity, pictures by their number
        self._explorers = {}
        self._listening = None

    async def enter(self) -> None:
        """Log in and wait until JupyterLab is there."""
        await self._get("/hub/login")
        login = {"username": self.name, "password": "any", "_xsrf": self._token("/hub/")}
        async with self._web.post("/hub/login", data=login) as answer:
            assert answer.ok, f"{self.name} could not log in: {answer.status}"
        end = time.monotonic() + PATIENCE
        while (await self._get("/hub/user-redirect/lab")).path.startswith("/hub/"):
            assert time.monotonic() < end, f"{self.name}'s server did not start"
            await asyncio.sleep(0.25)

    async def fetch(self) -> None:
        """Open the hub's own page, which fetches the course by nbgitpuller."""
        page = await self._get(f"/user/{self.name}/")
        assert page.name == "git-pull", f"{self.name} came to {page}"
        course = {name.lower(): value for name, value in page.query.items()}
        token = self._token(f"/user/{self.name}/")
        async with self._web.get(f"{page.path}/api", params=course | {"_xsrf": token}) as answer:
            said = await answer.text()
        assert '"phase": "finished"' in said, f"{self.name} could not fetch the course: {said}"

    async def open(self, notebook: str) -> None:
        """Fetch the notebook, start its kernel and connect to it."""
        here = f"/user/{self.name}/api"
        async with self._web.get(f"{here}/contents/{notebook}", raise_for_status=True) as answer:
            self._cells = nbformat.from_dict((await answer.json())["content"]).cells
        wish = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        token = {"X-XSRFToken": self._token(f"/user/{self.name}/")}
        async with self._web.post(f"{here}/sessions", json=wish, headers=token, raise_for_status=True) as answer:
            kernel = (await answer.json())["kernel"]["id"]
        channels = f"{here}/kernels/{kernel}/channels?session_id={self._session.session}"
        self._socket = await self._web.ws_connect(channels, protocols=[PROTOCOL], max_msg_size=0)
        assert self._socket.protocol == PROTOCOL, f"the proxy must pass {PROTOCOL} on; got {self._socket.protocol}"
        self._listening = asyncio.create_task(self._listen())

    async def run_all(self) -> None:
        """Run all cells in their order, each after the one before has ended, as JupyterLab does."""
        for cell in self._cells:
            if cell.cell_type == "code" and cell.source.strip():
                wish = {"code": cell.source, "silent": False, "store_history": True, "user_expressions": {},
                        "allow_stdin": True, "stop_on_error": True}
                reply = await self._ask("shell", "execute_request", wish)
                assert reply["status"] == "ok", f"{self.name}: {reply['ename']}: {reply['evalue']} in\n{cell.source}"

    async def move(self, moves: int, pause: float) -> list[float]:
        """Move the first slider up and down; return the seconds from each message to its picture."""
        comm, slider, face = self._first_slider()
        subshell = (await self._ask("control", "create_subshell_request", {}))["subshell_id"]
        places = itertools.cycle([*range(1, 10), *range(10, 0, -1)])
        seconds = []
        for number, place in zip(range(1, moves + 1), places):
            value = face["low"] + place / 10 * (face["high"] - face["low"])
            wish = {"view": self.name, "seq": number, "steps": [{"set": {slider: value}}]}
            data = {"method": "custom", "content": wish}
            begin = time.perf_counter()
            await self._picture(number, {"comm_id": comm, "data": data}, subshell)
            seconds.append(time.perf_counter() - begin)
            await asyncio.sleep(pause)
        return seconds

    async def leave(self) -> None:
        """Close the page; kernel and server go on, as they do when a browser's tab is closed."""
        if self._listening:
            self._listening.cancel()
        await self._web.close()

    def _first_slider(self) -> tuple[str, str, dict]:
        """The explorer's comm, and the name and the face of its slider."""
        for comm, face in self._explorers.items():
            for name, control in face["controls"].items():
                if control["kind"] == "slider" and isinstance(control["low"], float):
                    return comm, name, control
        raise AssertionError(f"{self.name} saw no explorer with a slider; got {list(self._explorers.values())}")

    async def _picture(self, number: int, content: dict, subshell: str) -> None:
        """Send a slider's new value; return when the picture with this number is there."""
        picture = self._expect("picture", number)
        message = self._session.msg("comm_msg", content)
        message["header"]["subshell_id"] = subshell  # as JupyterLab does: beside the kernel's main thread
        await self._send("shell", message)
        async with asyncio.timeout(PATIENCE):
            answer = await picture
        assert not answer["error"], f"{self.name}: the explorer said {answer['error']}"

    async def _get(self, path: str) -> Any:
        async with self._web.get(path) as answer:
            assert answer.ok, f"{self.name} got {answer.status} for {answer.url}"
            return answer.url

    def _token(self, path: str) -> str:
        """The cookie that the hub, or the learner's own server, wants to see twice."""
        return next(cookie.value for cookie in self._web.cookie_jar if (cookie.key, cookie["path"]) == ("_xsrf", path))

    def _expect(self, kind: str, identity: str | int) -> asyncio.Future:
        return self._awaited.setdefault((kind, identity), asyncio.get_running_loop().create_future())

    async def _send(self, channel: str, message: dict) -> None:
        await self._socket.send_bytes(serialize_msg_to_ws_v1(message, channel, self._session.pack))

    async def _ask(self, channel: str, kind: str, content: dict) -> dict:
        """Send a request; return its reply when the kernel is idle again, so that all outputs have come."""
        message = self._session.msg(kind, content)
        reply, idle = (self._expect(what, message["header"]["msg_id"]) for what in ("reply", "idle"))
        await self._send(channel, message)
        async with asyncio.timeout(PATIENCE):
            await idle
            return await reply

    async def _listen(self) -> None:
        try:
            async for frame in self._socket:
                _, parts = deserialize_msg_from_ws_v1(frame.data)
                header, parent, _, content = map(self._session.unpack, parts[:4])
                self._hear(header["msg_type"], parent.get("msg_id"), content)
        finally:
            for future in self._awaited.values():
                if not future.done():
                    future.set_exception(ConnectionError(f"{self.name}'s connection to the kernel has ended"))

    def _hear(self, kind: str, parent: str | None, content: dict) -> None:
        if kind == "status" and content["execution_state"] == "idle":
            self._settle("idle", parent, content)
        elif kind.endswith("_reply"):
            self._settle("reply", parent, content)
        elif kind in ("comm_open", "comm_msg"):
            state = content["data"].get("state", {})
            if state.get("face", {}).get("controls"):
                self._explorers[content["comm_id"]] = state["face"]
            if state.get("answer", {}).get("view") == self.name:
                self._settle("picture", state["answer"]["seq"], state["answer"])

    def _settle(self, kind: str, identity: str | int | None, content: dict) -> None:
        future = self._awaited.pop((kind, identity), None)
        if future:
            future.set_result(content)
