"""
Servers for the benchmark of object storage, each in a process of its own on 127.0.0.1.

    python object_server.py moto 0.02            # moto's S3, every answer 20 ms later
    python object_server.py lean 0 FOLDER        # a folder as the buckets below it, at once

It prints its port, and ends when its input does.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import md5
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000


async def _head(reader: asyncio.StreamReader) -> tuple[bytes, dict[str, str]] | None:
    """Read the head of a request or an answer: its bytes, and its headers."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
    return head, headers


class Lean:
    """ListObjectsV2, HEAD and GET, ranges too, of files that are held in memory."""

    def __init__(self, folder: Path, latency: float) -> None:
        self.latency = latency
        self.objects: dict[str, tuple[bytes, str, float]] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                name = path.relative_to(folder).as_posix()
                tag = md5(data, usedforsecurity=False).hexdigest()
                self.objects[name] = (data, tag, path.stat().st_mtime)
        self.names = sorted(self.objects)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _head(reader)) is not None:
            head, headers = request
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            await reader.readexactly(int(headers.get("content-length") or 0))
            if self.latency:
                await asyncio.sleep(self.latency)
            status, more, data = self._answer(target, headers.get("range"))
            lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *more, "", ""]
            writer.write("\r\n".join(lines).encode() + (b"" if method == "HEAD" else data))
            await writer.drain()
        writer.close()

    def _answer(self, target: str, wanted: str | None) -> tuple[str, list[str], bytes]:
        parts = urlsplit(target)
        path = unquote(parts.path).lstrip("/")
        if "list-type=2" in parts.query:
            return "200 OK", ["Content-Type: application/xml"], self._list(path, parts.query)
        if path not in self.objects:
            return "404 Not Found", ["Content-Type: application/xml"], (
                b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"
            )  # fmt: skip
        data, tag, written = self.objects[path]
        more = [f'ETag: "{tag}"', f"Last-Modified: {formatdate(written, usegmt=True)}"]
        if wanted is None:
            return "200 OK", more, data
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(data) - int(last))
        stop = min(int(last) + 1, len(data)) if first and last else len(data)
        more.append(f"Content-Range: bytes {start}-{stop - 1}/{len(data)}")
        return "206 Partial Content", more, data[start:stop]

    def _list(self, bucket: str, query: str) -> bytes:
        asked = parse_qs(query)
        prefix = f"{bucket.rstrip('/')}/{asked.get('prefix', [''])[0]}"
        after = asked.get("continuation-token", [""])[0]
        names = [name for name in self.names if name.startswith(prefix) and name > after]
        page, is_more = names[:PAGE], len(names) > PAGE
        entries = "".join(self._entry(name, bucket.rstrip("/")) for name in page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>"
        return (
            '<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType>'
            f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(is_more).lower()}</IsTruncated>"
            f"{token if is_more else ''}{entries}</ListBucketResult>"
        ).encode()

    def _entry(self, name: str, bucket: str) -> str:
        data, tag, written = self.objects[name]
        moment = datetime.fromtimestamp(written, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return (
            f"<Contents><Key>{quote(name[len(bucket) + 1 :])}</Key><Size>{len(data)}</Size>"
            f"<LastModified>{moment}</LastModified><ETag>&quot;{tag}&quot;</ETag></Contents>"
        )


class Delay:
    """A proxy whose every answer comes so many seconds later, however many are asked for."""

    def __init__(self, port: int, latency: float) -> None:
        self.port, self.latency = port, latency

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _head(reader)) is not None:
            head, headers = request
            if "expect" in headers:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                head = re.sub(rb"(?i)\r\nexpect:[^\r]*", b"", head)
            body = await reader.readexactly(int(headers.get("content-length") or 0))
            await asyncio.sleep(self.latency)
            above, below = await asyncio.open_connection("127.0.0.1", self.port)
            below.write(head + body)
            answer = await _head(above)
            if answer is None:
                break
            length = 0 if head.startswith(b"HEAD ") else int(answer[1].get("content-length") or 0)
            data = await above.readexactly(length)
            below.close()
            lines = [
                line
                for line in answer[0].split(b"\r\n")[:-2]
                if not line.lower().startswith(b"connection:")
            ]
            # Its server speaks HTTP/1.0, and would have every connection closed.
            lines[0] = lines[0].replace(b"HTTP/1.0", b"HTTP/1.1")
            writer.write(b"\r\n".join([*lines, b"", b""]) + data)
            await writer.drain()
        writer.close()


async def _run(serve: Callable[..., Awaitable[None]]) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The end of the program finds connections that are still open.
        with suppress(asyncio.CancelledError, ConnectionError):
            await serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main(which: str, latency: float, folder: str = "") -> None:
    """Serve until the input ends."""
    if which == "lean":
        asyncio.run(_run(Lean(Path(folder), latency).serve))
        return
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    port = moto.get_host_and_port()[1]
    if latency:
        asyncio.run(_run(Delay(port, latency).serve))
    else:
        print(port, flush=True)
        sys.stdin.read()
    moto.stop()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *sys.argv[3:])
