"""The file systems that URLs are read through: fsspec's by their scheme, or one that is given."""

from __future__ import annotations

from threading import Lock
from typing import Any, Final

from catalog.errors import UsageError

CONNECTIONS: Final = 64
"""How many an S3 is asked through at most."""
CONNECT_TIMEOUT = 10
"""Seconds that an S3 may take to let a connection be made, unless somebody configured another."""
READ_TIMEOUT = 20
"""Seconds that it may send nothing for, likewise: then the request is made again, or fails."""

_AS_S3: Final = frozenset({"s3a", "s3n"})
_filesystems: dict[str, Any] = {}
_given: set[str] = set()
_making = Lock()


def scheme_of(url: str) -> str:
    """Return the scheme of a URL: in lower case, and `s3` for what Hadoop calls s3a and s3n."""
    scheme = url.partition("://")[0].lower()
    return "s3" if scheme in _AS_S3 else scheme


def one_spelling(url: str) -> str:
    """Return a URL with its scheme as `scheme_of` says it: two names of one object are one."""
    return f"{scheme_of(url)}://{url.partition('://')[2]}"


def use_filesystem(scheme: str, filesystem: Any) -> None:
    """
    Let URLs of a scheme be read through a file system of pyarrow or fsspec, in this process.

    Args:
        scheme: such as `s3`, without `://`.
        filesystem: a `pyarrow.fs.FileSystem` or an `fsspec.AbstractFileSystem`.
    """
    from pyarrow.fs import FileSystem

    if isinstance(filesystem, FileSystem):
        filesystem = _fsspec().implementations.arrow.ArrowFSWrapper(filesystem)
    scheme = scheme_of(scheme)
    _filesystems[scheme] = filesystem
    _given.add(scheme)


def is_given(scheme: str) -> bool:
    """Say whether somebody named the file system for a scheme."""
    return scheme_of(scheme) in _given


def filesystem(url: str) -> Any:
    """
    Return the fsspec file system that a URL is read through.

    Raises:
        UsageError: no library that is installed knows the scheme.
    """
    scheme = scheme_of(url)
    with _making:
        if scheme not in _filesystems:
            try:
                _filesystems[scheme] = _make(scheme)
            # A file system that wants to be told more, such as a host, says so by a TypeError.
            except (ImportError, TypeError, ValueError) as error:
                raise UsageError(
                    f"{url} cannot be read: {error}",
                    hint="For s3:// install strategy-trace-catalog[s3]; for another scheme the "
                    "fsspec file system of that store",
                ) from error
        return _filesystems[scheme]


def _make(scheme: str) -> Any:
    # A listing that is remembered would hide what was written since.
    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme != "s3":
        return _fsspec().filesystem(scheme, **options)
    # It would hold back what it sends beyond ten requests, and try each of them 25 times.
    options["config_kwargs"] = {
        "max_pool_connections": CONNECTIONS,
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        # To say it anew in each request would take a tenth of the time that a request takes here.
        "user_agent": "strategy-trace-catalog",
        **_configured(),
        "retries": {"total_max_attempts": 1},
    }
    made = _fsspec().filesystem(scheme, skip_instance_cache=True, **options)
    made.retries = 1
    return made


def _configured() -> dict[str, Any]:
    """Return what the configuration of fsspec says of S3's, which what is given would hide."""
    configured = (_fsspec().config.conf.get(name, {}) for name in ("s3a", "s3"))
    return {key: value for one in configured for key, value in one.get("config_kwargs", {}).items()}


def path_in(fs: Any, url: str) -> str:
    """Return how a file system calls what a URL names."""
    if arrow_of(fs) is not None:
        # The wrapper would drop what stands where others have a host.
        return url.partition("://")[2]
    return str(fs._strip_protocol(one_spelling(url)))


def arrow_of(fs: Any) -> Any:
    """Return the file system of pyarrow that is wrapped, if one is."""
    return getattr(fs, "fs", None) if type(fs).__name__ == "ArrowFSWrapper" else None


def is_s3(fs: Any) -> bool:
    """Say whether a file system is that of s3fs."""
    return type(fs).__name__ == "S3FileSystem" and hasattr(fs, "call_s3")


def _fsspec() -> Any:
    try:
        import fsspec
        import fsspec.config
        import fsspec.implementations.arrow
    except ImportError as error:
        raise UsageError(
            "Reading URLs takes fsspec, which is not installed",
            hint="pip install 'strategy-trace-catalog[s3]'",
        ) from error
    return fsspec
