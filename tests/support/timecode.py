"""Pictures that carry the time they were taken, so that a replay tells by itself how far it is from the truth.

A canvas shows the milliseconds since 1970 as 40 squares of black and white; camera and screen of a page are replaced by
it. Squares this large survive any encoder. `READ` gives back the time a video element shows.
"""

from __future__ import annotations

from playwright.async_api import Locator

_COLUMNS, _ROWS = 8, 6  # 42 bits of time, six of parity

_SHARED = f"""
const COLUMNS = {_COLUMNS}, ROWS = {_ROWS}, BITS = COLUMNS * ROWS - 6;
const parity = (bits) => {{
  const check = [0, 0, 0, 0, 0, 0];
  bits.forEach((bit, index) => {{ check[index % 6] ^= bit; }});
  return check;
}};
"""

SOURCE = (
    "(() => {"
    + _SHARED
    + """
  const draw = (context) => {
    const now = Date.now();
    const bits = Array.from({length: BITS}, (_, index) => Math.floor(now / 2 ** index) % 2);
    [...bits, ...parity(bits)].forEach((bit, index) => {
      context.fillStyle = bit ? "#fff" : "#000";
      context.fillRect((index % COLUMNS) * 80, Math.floor(index / COLUMNS) * 60, 80, 60);
    });
  };
  const clock = (rate) => {
    const canvas = Object.assign(document.createElement("canvas"), {width: COLUMNS * 80, height: ROWS * 60});
    const context = canvas.getContext("2d");
    draw(context);
    setInterval(() => draw(context), 1000 / rate);
    return canvas.captureStream(rate).getVideoTracks()[0];
  };
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = wanted.audio ? await open({audio: wanted.audio}) : new MediaStream();
    if (wanted.video) stream.addTrack(clock(20));
    return stream;
  };
  devices.getDisplayMedia = async () => new MediaStream([clock(15)]);
})();
"""
)

READ = (
    "(video) => {"
    + _SHARED
    + """
  if (!video.videoWidth) return null;
  const canvas = Object.assign(document.createElement("canvas"), {width: COLUMNS * 10, height: ROWS * 10});
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const bits = Array.from({length: COLUMNS * ROWS}, (_, index) => {
    const [x, y] = [(index % COLUMNS) * 10 + 5, Math.floor(index / COLUMNS) * 10 + 5];
    return context.getImageData(x, y, 1, 1).data[1] > 127 ? 1 : 0;
  });
  if (parity(bits.slice(0, BITS)).some((bit, index) => bit !== bits[BITS + index])) return null;
  return bits.slice(0, BITS).reduce((sum, bit, index) => sum + bit * 2 ** index, 0);
}
"""
)


def shown(luma: bytes, line_size: int, width: int, height: int) -> int | None:
    """The time in a decoded picture, from the bytes of its first plane; None when none can be read."""
    columns = [(2 * column + 1) * width // (2 * _COLUMNS) for column in range(_COLUMNS)]
    rows = [(2 * row + 1) * height // (2 * _ROWS) * line_size for row in range(_ROWS)]
    bits = [int(luma[row + column] > 127) for row in rows for column in columns]
    time, parity = bits[:-6], bits[-6:]
    if any(sum(time[index::6]) % 2 != bit for index, bit in enumerate(parity)):
        return None
    return sum(bit << place for place, bit in enumerate(time))


async def read(video: Locator) -> int | None:
    """The time in the picture a video element shows, ms since 1970; None when it shows none that can be read."""
    value: int | None = await video.evaluate(READ)
    return value


READ_ALL = (
    "(selectors) => { const read = "
    + READ
    + "; return selectors.map((one) => { const video = document.querySelector(one); return video && read(video); }); }"
)
"""Reads several videos of a page at the same instant, by selector."""
