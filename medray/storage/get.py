"""One GET an object: botocore knows where a bucket is and signs, urllib3 carries.

The listing has told the size, and pyarrow would ask for it with a request of its own before each
read: twice the requests, and on a far bucket twice the time.
"""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from medray.storage.uri import object_name

if TYPE_CHECKING:
    import urllib3

    from medray.storage.store import Store

_EXPIRES_S = 900
_CODE = re.compile(rb"<Code>(\w+)</Code>")


def get(store: Store, uri: str, most_bytes: int | None = None) -> bytes:
    """The object's bytes, the first `most_bytes` of them where given (1 or more).

    Raises:
        OSError: with S3's code in its text; the object's name is not in it.
    """
    import urllib3

    bucket, _, key = object_name(uri).partition("/")
    names = () if store.anonymous else ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    client = _client(store.region(uri), store.endpoint, store.anonymous, *map(store.variable, names))
    url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, _EXPIRES_S)
    headers = {} if most_bytes is None else {"Range": f"bytes=0-{most_bytes - 1}"}
    try:
        answer = _connections().request("GET", url, headers=headers, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        raise OSError(f"AWS Error NETWORK_CONNECTION ({type(error).__name__})") from None  # the error holds the URL
    if answer.status in (200, 206):
        return _whole(answer, most_bytes)
    code = _CODE.search(answer.data)
    raise OSError(f"AWS Error {code[1].decode() if code else 'UNKNOWN'} (HTTP status {answer.status}) during GetObject")


def _whole(answer: urllib3.BaseHTTPResponse, most_bytes: int | None) -> bytes:
    """The bytes, as many as there are: a part of them must not look like a smaller object."""
    total = answer.headers.get("Content-Range", "").rpartition("/")[2]
    if total.isdigit() and len(answer.data) != min(int(total), most_bytes or int(total)):
        raise OSError(f"AWS Error INTERNAL_FAILURE (a part of {total} bytes)")
    return answer.data


@lru_cache(maxsize=8)
def _client(region: str | None, endpoint: str | None, anonymous: bool, *keys: str | None) -> Any:
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return botocore.session.Session().create_client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        config=Config(signature_version=UNSIGNED if anonymous else "s3v4"),
        **dict(zip(names, keys, strict=False)),  # none of an anonymous one
    )


@cache
def _connections() -> urllib3.PoolManager:
    import urllib3

    again = urllib3.Retry(4, backoff_factor=0.3, status_forcelist=(500, 502, 503, 504), raise_on_status=False)
    waits = urllib3.Timeout(connect=10, read=20)
    return urllib3.PoolManager(maxsize=32, retries=again, timeout=waits, ca_certs=os.environ.get("AWS_CA_BUNDLE"))
