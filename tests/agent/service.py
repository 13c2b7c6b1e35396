"""A service that speaks the Gemini API's REST protocol on loopback, by a script. No model answers here."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
import time
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Turn:
    """What the service does with one request.

    Attributes:
      text: of the reply.
      status: of HTTP; other than 200 is an error with `headers`.
      hang: seconds to wait first.
      cut: the connection ends in the middle of the text.
      body: sent as it is in place of a well-formed reply.
      finish: why the model stopped.
    """

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    hang: float = 0.0
    cut: bool = False
    body: str | None = None
    finish: str = "STOP"


class Service:
    """Runs while it is used as a context.

    Attributes:
      requests: the bodies of all requests, in order, each with its path.
      keys: the keys that came with them.
    """

    def __init__(self, turns: Sequence[Turn], repeat: bool = False):
        """`repeat`: the last turn goes on for ever; otherwise a request too many gets status 404."""
        self._turns, self._repeat = list(turns), repeat
        self.requests: list[tuple[str, dict]] = []
        self.keys: list[str | None] = []
        self._lock = threading.Lock()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service._serve(self, body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Service:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: http.server.BaseHTTPRequestHandler, body: dict) -> None:
        with self._lock:
            index = len(self.requests)
            self.requests.append((handler.path, body))
            self.keys.append(handler.headers.get("x-goog-api-key"))
        turn = (
            self._turns[min(index, len(self._turns) - 1)]
            if self._repeat or index < len(self._turns)
            else Turn(status=404)
        )
        time.sleep(turn.hang)
        try:
            if turn.status != 200:
                error = {"code": turn.status, "message": "by the script", "status": "UNAVAILABLE"}
                _send(handler, turn.status, json.dumps({"error": error}), turn.headers)
            elif turn.body is not None:
                _send(handler, 200, turn.body, {})
            elif ":streamGenerateContent" in handler.path:
                self._stream(handler, turn)
            else:
                _send(handler, 200, json.dumps(_reply(turn.text, turn.finish)), {})
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client gave up first

    def _stream(self, handler: http.server.BaseHTTPRequestHandler, turn: Turn) -> None:
        half = len(turn.text) // 2
        pieces = [_reply(turn.text[:half], None), _reply(turn.text[half:], turn.finish)]
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        if turn.cut:
            handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for piece in pieces[:1] if turn.cut else pieces:
            handler.wfile.write(f"data: {json.dumps(piece)}\r\n\r\n".encode())
        handler.wfile.flush()
        handler.close_connection = True


def _send(handler: http.server.BaseHTTPRequestHandler, status: int, body: str, headers: Mapping[str, str]) -> None:
    handler.send_response(status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(body.encode())),
        **headers,
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body.encode())


def _reply(text: str, finish: str | None) -> dict:
    candidate: dict = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "scripted"}
