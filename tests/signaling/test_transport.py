from media.messages import Kind, PublicationInfo
from signaling.transport import sources_of


def held(*kinds: Kind) -> list[PublicationInfo]:
    return [PublicationInfo(f"p-{mid}", "s-1", str(mid), kind, (), active=True) for mid, kind in enumerate(kinds)]


def test_a_section_is_what_the_sender_tells_of_it() -> None:
    told = sources_of(
        held("audio", "video", "video", "audio"),
        {"0": "microphone", "1": "camera", "2": "document_camera", "3": "second_microphone"},
    )
    assert list(told.values()) == ["microphone", "camera", "document_camera", "second_microphone"]


def test_what_is_not_told_or_cannot_be_is_the_first_of_its_kind_and_never_a_second_device() -> None:
    assert sources_of(held("audio", "video", "video", "video"), {"0": "camera"}) == {
        "0": "microphone",
        "1": "camera",
        "2": "screen",
    }


def test_one_sender_has_one_camera_however_many_sections_are_called_so() -> None:
    told = sources_of(held("video", "video", "video"), {"0": "camera", "1": "camera", "2": "camera"})
    assert sorted(told.values()) == ["camera", "screen"]
