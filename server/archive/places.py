"""Where this installation's lessons are archived, as its settings say."""

from __future__ import annotations

from urllib.parse import urlsplit

from recorder.places.local import LocalPlace
from recorder.places.place import Place
from recorder.places.store import Access, Store
from recorder.places.stored import StorePlace
from server.failure import CannotWorkError
from server.settings import Settings


def open_place(settings: Settings) -> Place:
    """The place; a store is not asked yet. Raises CannotWorkError for one that cannot be."""
    if not settings.archive_in_store:
        return LocalPlace(settings.archive)
    try:
        store = open_store(settings, settings.archive_url)
    except ValueError as error:
        raise CannotWorkError(f"The archive's store cannot be used: {error}.") from error
    return StorePlace(settings.archive, store, redirect=settings.archive_playback == "redirect")


def open_store(settings: Settings, url: str) -> Store:
    """A store by its URL, with the endpoint and the credentials of the settings. Raises ValueError."""
    access = Access(
        settings.archive_endpoint, settings.archive_region, settings.archive_access_key, settings.archive_secret_key
    )
    return Store.open(url, access)


def store_origin(settings: Settings) -> str:
    """Where pages fetch media from besides ourselves, for the pages' policy; "" where they do not."""
    if not settings.archive_in_store or settings.archive_playback != "redirect":
        return ""
    if settings.archive_endpoint:
        parts = urlsplit(settings.archive_endpoint)
        return f"{parts.scheme}://{parts.netloc}"
    return f"https://s3.{settings.archive_region or 'us-east-1'}.amazonaws.com"
