"""A teacher at the desk: calls on classes, chooses what all see, plays music, fills the lead class's projector."""

import math
import statistics
import struct
import wave
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.journeys.people import PATIENCE, Person, SchoolClass, Teacher
from tests.support.browser import chromium, eventually
from tests.support.server import Tongke

pytestmark = pytest.mark.journey

NAMES = ("阜平一小 六(2)班", "张北实验小学 六(1)班", "康保二小 六(3)班")
SWEEP = (100.0, 8000.0)  # Hz
LASTS = 8  # seconds of the sweep, which is then played again

SCREENS = ((390, 844), (1920, 1080), (3840, 2160), (1366, 768))

# What is out of place: what stands outside, what is covered by the bars, messages that have no room.
OUT_OF_PLACE = """() => {
  const wrong = [];
  if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page is wider than the screen");
  if (document.querySelector("[data-testid=chat-lines]").clientHeight < 80) wrong.push("messages have no room");
  const needed = "[data-testid^=floor-], [data-testid^=stage-], [data-testid=end-lesson], [data-testid=mark], "
    + "[data-testid=more], [data-testid=lock], [data-testid=chat-text], [data-testid^=scene-]";
  for (const one of document.querySelectorAll(needed)) {
    one.scrollIntoView({block: "nearest"});
    const box = one.getBoundingClientRect();
    const name = one.dataset.testid;
    if (box.left < 0 || box.right > innerWidth + 1) wrong.push(`${name} stands outside`);
    const above = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!above || !(one.contains(above) || above.contains(one))) wrong.push(`${name} is covered`);
  }
  return wrong;
}"""

# What arrives while the sweep is played: the strongest tone and the level, twenty times a second.
LISTEN = """async (seconds) => {
  const receivers = window.__peers.flatMap((peer) => peer.connectionState === "connected" ? peer.getReceivers() : []);
  const track = receivers.map((one) => one.track).find((one) => one.kind === "audio" && !one.muted);
  const context = new AudioContext({ sampleRate: 48000 });
  await context.resume();
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  analyser.smoothingTimeConstant = 0;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  const samples = new Float32Array(analyser.fftSize);
  const heard = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getFloatFrequencyData(spectrum);
    analyser.getFloatTimeDomainData(samples);
    let peak = 0;
    spectrum.forEach((level, bin) => level > spectrum[peak] && (peak = bin));
    const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
    heard.push([peak * 48000 / analyser.fftSize, 10 * Math.log10(power + 1e-12)]);
  }
  await context.close();
  return heard;
}"""


async def test_a_teacher_calls_on_classes_and_a_third_takes_the_place_of_one(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        classes = {name: await SchoolClass.arrive(browser, tongke) for name in NAMES}
        near, middle, far = classes.values()
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        for name, one in classes.items():
            await one.enter(code, name)
            await expect(_row(teacher, name)).to_be_visible(timeout=PATIENCE)

        await teacher.give_floor(NAMES[0])
        await teacher.give_floor(NAMES[1])
        await expect(near.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await expect(middle.see("on-floor")).to_be_visible(timeout=PATIENCE)
        for width, height in SCREENS:
            await teacher.page.set_viewport_size({"width": width, "height": height})
            await eventually(f"a desk that fits {width} x {height}", partial(_fits, teacher))
        await teacher.give_floor(NAMES[2])
        await teacher.see("replace").get_by_role("button", name=NAMES[0]).click()
        await expect(far.see("on-floor")).to_be_visible(timeout=PATIENCE)
        await expect(near.see("on-floor")).to_be_hidden(timeout=PATIENCE)

        # On stage its picture is the large one, until the floor is taken back.
        scene = teacher.see("scene")
        await _row(teacher, NAMES[2]).locator('button[data-testid^="stage-"]').click()
        await expect(scene).not_to_have_attribute("data-large", "own-camera", timeout=PATIENCE)
        await teacher.give_floor(NAMES[2])
        await expect(scene).to_have_attribute("data-large", "own-camera", timeout=PATIENCE)

        # Stages and the microphone by one key each.
        await teacher.page.keyboard.press("2")
        await expect(teacher.see("stages")).to_contain_text("新授", timeout=PATIENCE)
        for on in ("false", "true"):
            await teacher.page.keyboard.press("v")
            await expect(teacher.see("microphone")).to_have_attribute("data-on", on)

        await teacher.end()
        await expect(teacher.see("summary").locator("tr")).to_have_count(len(NAMES))
        for person in (teacher, *classes.values()):
            assert person.errors == []


async def test_the_projector_of_the_lead_class_shows_what_the_classes_see_and_no_more(tmp_path: Path) -> None:
    async with Tongke(tmp_path / "data") as tongke, chromium() as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("草原")
        await teacher.start(lesson_id)
        await pupils.enter(code, NAMES[0])
        await teacher.see("more").click()
        async with teacher.page.context.expect_page() as opened:
            await teacher.see("open-audience").click()
        audience = Person(await opened.value, tongke)
        await audience.moves("main-video", within=30)
        await teacher.page.bring_to_front()
        await teacher.page.keyboard.press("Escape")

        # A screen is large as soon as it is shared, the teacher again when the teacher says so.
        await teacher.share_screen()
        await expect(audience.see("screen-video")).to_have_count(1, timeout=PATIENCE)
        await teacher.see("show-camera").click()
        await expect(audience.see("screen-video")).to_have_count(0, timeout=PATIENCE)

        await teacher.give_floor(NAMES[0])
        await expect(audience.see("audience-floor")).to_contain_text(NAMES[0], timeout=PATIENCE)
        await teacher.see("countdown").click()
        await teacher.see("countdown-3").click()
        await expect(audience.see("audience-countdown")).to_contain_text("2:", timeout=PATIENCE)
        for private in ("participant-row", "chat-lines", "studio-code", "hands"):
            await expect(audience.see(private)).to_have_count(0)
        await teacher.end()
        await expect(audience.see("audience")).to_contain_text("这节课结束了", timeout=PATIENCE)
        assert teacher.errors == audience.errors == []


async def test_a_second_camera_is_a_picture_of_its_own_which_the_teacher_may_show(tmp_path: Path) -> None:
    # The second of Chromium's fake cameras measures depth, which nothing encodes.
    three = "--use-fake-device-for-media-stream=device-count=3"
    async with Tongke(tmp_path / "data") as tongke, chromium(three) as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("实验")
        await teacher.start(lesson_id)
        await pupils.enter(code, NAMES[0])
        await pupils.moves("main-video")
        await teacher.see("more").click()
        await teacher.see("second-document_camera").select_option(label="fake_device_2")
        scene = teacher.see("scene")
        await expect(scene).to_have_attribute("data-large", "own-document", timeout=PATIENCE)
        await eventually("two pictures at the class", lambda: _pictures(pupils, 2))
        await teacher.see("show-camera").click()
        await expect(scene).to_have_attribute("data-large", "own-camera", timeout=PATIENCE)
        assert teacher.errors == pupils.errors == []


async def _fits(teacher: Teacher) -> bool:
    """Within moments: pictures and words find their place first."""
    wrong = await teacher.page.evaluate(OUT_OF_PLACE)
    if wrong:
        print(wrong)  # pytest shows it when it stays so
    return not wrong


async def _pictures(person: Person, wanted: int) -> bool:
    """Whether so many pictures of the page have frames."""
    script = "() => [...document.querySelectorAll('video')].filter((one) => one.dataset.showing === 'true').length"
    return bool(await person.page.evaluate(script) >= wanted)


async def test_in_music_mode_a_sweep_arrives_as_it_was_played(tmp_path: Path) -> None:
    _write_sweep(tmp_path / "sweep.wav")
    flag = f"--use-file-for-fake-audio-capture={tmp_path / 'sweep.wav'}"
    async with Tongke(tmp_path / "data") as tongke, chromium(flag) as browser:
        teacher = await Teacher.arrive(browser, tongke)
        pupils = await SchoolClass.arrive(browser, tongke)
        await teacher.log_in()
        lesson_id, code = await teacher.create_lesson("合唱")
        await teacher.start(lesson_id)
        await teacher.see("more").click()
        await teacher.see("music").click()
        await expect(teacher.see("music")).to_have_attribute("aria-pressed", "true")
        await pupils.enter(code, NAMES[0])
        await pupils.moves("main-video")

        async def sent_as_music() -> bool:
            script = """() => window.__peers.some((peer) => {
              const said = peer.remoteDescription?.sdp ?? "";
              const tracks = peer.getSenders().flatMap(({ track }) => track?.kind === "audio" ? [track] : []);
              return said.includes("usedtx=0") && said.includes("stereo=1")
                && tracks.some((track) => track.getSettings().echoCancellation === false);
            })"""
            return bool(await teacher.page.evaluate(script))

        await eventually("music mode on the microphone", sent_as_music)
        heard: list[tuple[float, float]] = await pupils.page.evaluate(LISTEN, LASTS + 1)
        low, high = SWEEP
        octaves = [(low * 2**step, min(high, low * 2 ** (step + 1))) for step in range(6)]
        levels = [
            statistics.median(level for tone, level in heard if begin <= tone < end and level > -60)
            for begin, end in octaves
        ]
        middle = statistics.median(levels)
        assert all(abs(level - middle) <= 3 for level in levels), levels


def _row(teacher: Teacher, name: str) -> Locator:
    return teacher.see("participant-row").filter(has_text=name)


def _write_sweep(path: Path) -> None:
    """Each octave lasts as long as the next, all of it equally loud."""
    rate = 48_000
    low, high = SWEEP
    growth = math.log(high / low)
    samples = []
    for number in range(rate * LASTS):
        share = number / (rate * LASTS)
        phase = 2 * math.pi * low * LASTS / growth * (math.exp(share * growth) - 1)
        samples.append(round(8000 * math.sin(phase)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
