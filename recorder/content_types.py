"""What each kind of file of the archive is called over HTTP, here and in a store of objects."""

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".webm": "video/webm",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".vtt": "text/vtt; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/jsonl; charset=utf-8",
    ".bin": "application/octet-stream",
}


def content_type(path: str) -> str:
    """The type of a file by its name; "" for one that is none of the archive's."""
    return TYPES.get(path[path.rfind(".") :] if "." in path else "", "")
