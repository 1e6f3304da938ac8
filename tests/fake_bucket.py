"""An S3 door of one bucket that notes each request and answers as it is told: what a real server of
tests cannot be brought to say (Glacier, expired credentials), and how many requests something takes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class FakeBucket:
    """Attributes:
    objects: bytes by key.
    refused: (status, S3 code) of keys that are not given out; "" refuses all of them.
    requests: how often each (method, key) was asked for.
    """

    def __init__(self, objects: Mapping[str, bytes], page: int = 1000) -> None:
        self.page = page
        self.reset(objects)

    def reset(self, objects: Mapping[str, bytes]) -> None:
        """As new, with these objects."""
        self.objects = dict(sorted(objects.items()))
        self.refused: dict[str, tuple[int, str]] = {}
        self.requests: Counter[tuple[str, str]] = Counter()

    def listing(self, query: dict[str, list[str]]) -> bytes:
        prefix, after = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
        keys = [key for key in self.objects if key.startswith(prefix) and key > after]
        more = len(keys) > self.page
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&#34;{hash(self.objects[key]):x}&#34;</ETag><Size>{len(self.objects[key])}</Size></Contents>"
            for key in keys[: self.page]
        )
        token = f"<NextContinuationToken>{escape(keys[self.page - 1])}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>".encode()
        )


@contextmanager
def served(bucket: FakeBucket) -> Iterator[str]:
    """The endpoint, for the time of the block."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            key = unquote(place.path).strip("/").partition("/")[2]
            bucket.requests[self.command, key] += 1
            status, code = bucket.refused.get(key) or bucket.refused.get("") or (200, "")
            if not key and status == 200:
                return self._answer(200, bucket.listing(parse_qs(place.query)))
            if status == 200 and key not in bucket.objects:
                status, code = 404, "NoSuchKey"
            if status != 200:
                return self._answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())
            data, asked = bucket.objects[key], self.headers.get("Range")
            if asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                if int(first) >= len(data):
                    return self._answer(416, b"<Error><Code>InvalidRange</Code></Error>")
                data = data[int(first) : int(last) + 1]
            return self._answer(206 if asked else 200, data)

        def _answer(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/xml" if status >= 300 else "binary/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("ETag", '"e"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
