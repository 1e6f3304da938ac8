"""One object that cannot be read, told apart from a store that cannot be.

A denied object is that object's matter only where others of the archive can still be read: refused
or expired credentials deny all of them, and stop the job.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from medray.contracts import SourceObject
from medray.storage.failures import error_code
from medray.storage.store import Store

_OF_STORE = re.compile(
    "ExpiredToken|EXPIRED_TOKEN|InvalidAccessKeyId|INVALID_ACCESS_KEY_ID|SignatureDoesNotMatch|SIGNATURE_DOES_NOT_MATCH"
    "|InvalidToken|InvalidClientTokenId|INVALID_CLIENT_TOKEN_ID|RequestTimeTooSkewed|REQUEST_TIME_TOO_SKEWED|NoSuchBucket"
    "|NO_SUCH_BUCKET|UNAUTHORIZED|TokenRefreshRequired"
)
_ARCHIVED = re.compile("InvalidObjectState|INVALID_OBJECT_STATE")
_GONE = re.compile(r"NoSuchKey|NO_SUCH_KEY|RESOURCE_NOT_FOUND|HTTP status 404|InvalidRange")
_DENIED = re.compile(r"AccessDenied|ACCESS_DENIED|Forbidden|HTTP status 403")


def closed(error: Exception, store: Store, witnesses: Sequence[SourceObject]) -> str | None:
    """Why this object alone cannot be read; None where the store itself fails.

    Args:
        error: what reading it gave.
        witnesses: other objects of the archive, of which at least one should be readable.
    """
    if isinstance(error, FileNotFoundError):
        return "gone or changed since the listing"
    said = f"{error_code(error)} {str(error).rpartition('AWS Error')[2]}"  # in front of it stands the key
    if not isinstance(error, OSError) or _OF_STORE.search(said):
        return None
    if _ARCHIVED.search(said):
        return "in an archive tier: restore it first"
    if _GONE.search(said):
        return "gone or changed since the listing"
    if isinstance(error, PermissionError) or _DENIED.search(said):
        return "access denied" if _any_open(store, witnesses) else None
    return None


def _any_open(store: Store, witnesses: Sequence[SourceObject]) -> bool:
    for item in witnesses:
        try:
            store.first_byte(item.uri)
        except OSError:
            continue
        return True
    return False
