"""Who speaks when, from sound levels alone: no speech recognition. Pure; times are ms on the lesson clock.

Of each microphone there is one level per 20 ms. What stands out from its own noise is speech; what a class's microphone
hears of the teacher's voice is not. From that comes one letter for each second of the lesson: `T` only teachers speak,
`S` only classes, `O` both, `V` nobody, but a teacher draws or turns slides, `Q` silence, `X` no lesson.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

SLOT_MS = 20
ECHO_DB = 6  # by so much more than the teacher must a class stand out from its noise, not to be the teacher's echo
PERCENTILE = 10  # of the levels, that is the noise
NOISE_DBOV = (-90, -50)  # lower and upper bound of what can be noise
LETTER_MS = 200  # of speech make a second one in which there is speech: the shortest speech there is
_SILENT = 127  # dB below full scale, the least a level can say
_FAR = -1000  # dB; no teacher speaks

Span = tuple[int, int]  # from, to


@dataclass(frozen=True, slots=True)
class Settings:
    """The five numbers that say what speech is."""

    noise_window_s: int = 120  # the noise is what was usual so long before
    speech_over_noise_db: int = 12
    speech_least_dbov: int = -50
    join_gap_ms: int = 300  # shorter pauses belong to the speech around them
    drop_burst_ms: int = 200  # shorter sounds are none


@dataclass(frozen=True, slots=True)
class Microphone:
    """What is known of one microphone."""

    levels: bytes  # one per 20 ms as RFC 6464 has them: the lower seven bits are dB below full scale
    start_ms: int
    muted: tuple[Span, ...] = ()
    floor: tuple[Span, ...] = ()  # when its class had the floor
    teacher: bool = False


@dataclass(slots=True)
class Heard:
    """A microphone's frames, and which of them are speech."""

    microphone: Microphone
    over_noise: list[int] = field(default_factory=list)  # dB, one per frame
    speech: bytearray = field(default_factory=bytearray)  # 1 or 0, one per frame


def hear(microphone: Microphone, settings: Settings) -> Iterator[tuple[float, Heard]]:
    """Step 1 but for joining and dropping. Gives how far it is, and in the end the result."""
    heard = Heard(microphone)
    depths = microphone.levels.translate(bytes(byte & 127 for byte in range(256)))  # dB below full scale
    count = len(depths)
    muted = _slots(microphone.muted, microphone.start_ms, count)
    window = settings.noise_window_s * 1000 // SLOT_MS
    noises = _Percentile()
    quietest, loudest = -NOISE_DBOV[0], -NOISE_DBOV[1]
    for at in range(count):
        if at >= window and not muted[at - window]:
            noises.remove(depths[at - window])
        depth = depths[at]
        if muted[at]:
            heard.over_noise.append(_FAR)
            heard.speech.append(0)
            continue
        noises.add(depth)
        noise = min(max(noises.depth, loudest), quietest)
        heard.over_noise.append(noise - depth)
        heard.speech.append(depth <= min(noise - settings.speech_over_noise_db, -settings.speech_least_dbov))
        if at % 50_000 == 49_999:
            yield at / count, heard
    yield 1.0, heard


def spans(heard: Heard, settings: Settings) -> list[Span]:
    """The rest of step 1: when there was speech."""
    start = heard.microphone.start_ms
    found: list[list[int]] = []
    at = heard.speech.find(1)
    while at >= 0:
        end = heard.speech.find(0, at)
        end = len(heard.speech) if end < 0 else end
        if found and (at - found[-1][1]) * SLOT_MS < settings.join_gap_ms:
            found[-1][1] = end
        else:
            found.append([at, end])
        at = heard.speech.find(1, end)
    return [(start + a * SLOT_MS, start + b * SLOT_MS) for a, b in found if (b - a) * SLOT_MS >= settings.drop_burst_ms]


def without_echo(heard: Heard, teachers: Iterable[tuple[Heard, Sequence[Span]]]) -> Heard:
    """Step 2: a class's speech without what is only the teachers' voice in its room."""
    start, count = heard.microphone.start_ms, len(heard.speech)
    loudest = [_FAR] * count  # how far the teacher who speaks stands out, at each of our frames
    for teacher, spoken in teachers:
        base = teacher.microphone.start_ms
        for begin, end in spoken:
            first = max(0, (begin - start) // SLOT_MS)
            for at in range(first, min(count, -(-(end - start) // SLOT_MS))):
                there = (start + at * SLOT_MS - base) // SLOT_MS
                if 0 <= there < len(teacher.over_noise):
                    loudest[at] = max(loudest[at], teacher.over_noise[there])
    granted = _slots(heard.microphone.floor, start, count)
    kept = bytearray(
        speech and (has_floor or teacher == _FAR or own >= teacher + ECHO_DB)
        for speech, has_floor, teacher, own in zip(heard.speech, granted, loudest, heard.over_noise, strict=True)
    )
    return Heard(heard.microphone, heard.over_noise, kept)


def letters(
    length_s: int,
    session: Iterable[Span],
    teachers: Iterable[Span],
    classes: Iterable[Span],
    shown_ms: Iterable[int] = (),
) -> str:
    """Step 3: a letter for each of the lesson clock's first `length_s` seconds.

    `session` is when there was a lesson, `shown_ms` when a teacher drew, turned a slide or played something.
    """
    in_session = _per_second(session, length_s)
    teaching, answering = _per_second(teachers, length_s), _per_second(classes, length_s)
    shown = {at // 1000 for at in shown_ms}
    made = []
    for second in range(length_s):
        speaks = teaching[second] >= LETTER_MS, answering[second] >= LETTER_MS
        if 2 * in_session[second] < 1000:
            made.append("X")
        elif any(speaks):
            made.append({(True, False): "T", (False, True): "S", (True, True): "O"}[speaks])
        else:
            made.append("V" if second in shown else "Q")
    return "".join(made)


def union(all_spans: Iterable[Span]) -> list[Span]:
    """The same time as spans that do not touch, in order."""
    found: list[Span] = []
    for begin, end in sorted(span for span in all_spans if span[1] > span[0]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


class _Percentile:
    """The level below which a tenth of some levels lie, kept while levels come and go (nearest rank)."""

    def __init__(self) -> None:
        self.depth = _SILENT  # of that level
        self._counts = [0] * (_SILENT + 1)
        self._all = 0
        self._at_least = 0  # how many are as deep or deeper

    def add(self, depth: int) -> None:
        self._counts[depth] += 1
        self._all += 1
        self._at_least += depth >= self.depth
        self._move()

    def remove(self, depth: int) -> None:
        self._counts[depth] -= 1
        self._all -= 1
        self._at_least -= depth >= self.depth
        self._move()

    def _move(self) -> None:
        rank = max(1, -(-self._all * PERCENTILE // 100))
        while self._at_least < rank and self.depth:
            self.depth -= 1
            self._at_least += self._counts[self.depth]
        while self.depth < _SILENT and self._at_least - self._counts[self.depth] >= rank:
            self._at_least -= self._counts[self.depth]
            self.depth += 1


def _slots(some: Iterable[Span], start_ms: int, count: int) -> bytearray:
    """1 for each 20 ms that begin within one of the spans."""
    found = bytearray(count)
    for begin, end in some:
        first = max(0, -(-(begin - start_ms) // SLOT_MS))
        last = min(count, -(-(end - start_ms) // SLOT_MS))
        if last > first:
            found[first:last] = bytes([1]) * (last - first)
    return found


def _per_second(some: Iterable[Span], length_s: int) -> list[int]:
    """How many ms of each second the spans cover."""
    covered = [0] * length_s
    for begin, end in union(some):
        for second in range(max(0, begin // 1000), min(length_s, -(-end // 1000))):
            covered[second] += min(end, (second + 1) * 1000) - max(begin, second * 1000)
    return covered
