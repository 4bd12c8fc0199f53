"""A camera whose picture is never still and a microphone that is never silent, in place of a browser's own fakes.

The fakes of browsers cost hardly any bits, so a narrow link would not trouble them, and they are silent most of
the time, so that a loss would go unheard. Here a square of the picture is fresh in every frame, which takes a camera of
720p about 1.3 Mb/s, as a teacher before a board does; the voice is a tone that trembles.
"""

from __future__ import annotations

_SOURCE = """
(() => {
  const [WIDTH, HEIGHT, RATE] = [@WIDTH, @HEIGHT, @RATE];
  const PART = @PART;  // of the height, that is fresh in every frame
  const noise = () => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 512, height: 512});
    const context = canvas.getContext("2d");
    const image = context.createImageData(512, 512);
    for (let at = 0; at < image.data.length; at += 4) {
      // Coarse squares: finer noise would be gone in the smaller layers, and cost the largest one all it has.
      const [x, y] = [at / 4 % 512 >> 3, at / 4 >> 12];
      const value = 64 + (Math.imul(x * 374761393 + y * 668265263, 1274126177) >>> 25);
      image.data.set([value, value, 255 - value, 255], at);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  };
  const camera = () => {
    const canvas = Object.assign(document.createElement("canvas"), {width: WIDTH, height: HEIGHT});
    const context = canvas.getContext("2d", {willReadFrequently: true});
    const texture = noise();
    let count = 0;
    const draw = () => {
      count += 1;
      if (count === 1) {
        context.fillStyle = "#345";
        context.fillRect(0, 0, WIDTH, HEIGHT);
      }
      const [from, top] = [Math.floor(Math.random() * 352), Math.floor(Math.random() * 352)];
      const side = Math.round(HEIGHT * PART);
      const left = Math.round((WIDTH - side) * (0.5 + 0.5 * Math.sin(count / 20)));
      context.fillRect(0, (HEIGHT - side) / 2, WIDTH, side);
      context.drawImage(texture, from, top, 160, 160, left, (HEIGHT - side) / 2, side, side);
    };
    draw();
    setInterval(draw, 1000 / RATE);
    return canvas.captureStream(RATE).getVideoTracks()[0];
  };
  const microphone = () => {
    const context = new AudioContext({sampleRate: 48000});
    const [tone, tremble, depth, loudness] =
      [context.createOscillator(), context.createOscillator(), context.createGain(), context.createGain()];
    tone.frequency.value = 220;
    tremble.frequency.value = 5;
    depth.gain.value = 40;
    loudness.gain.value = 0.3;
    const end = context.createMediaStreamDestination();
    tremble.connect(depth).connect(tone.frequency);
    tone.connect(loudness).connect(end);
    tone.start();
    tremble.start();
    return end.stream.getAudioTracks()[0];
  };
  const devices = navigator.mediaDevices;
  if (!devices) return;
  // Firefox runs no AudioContext without a sound card, and its own fake microphone is a tone that never ends.
  const sounds = navigator.userAgent.includes("Firefox");
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = wanted.audio && sounds ? await open({audio: wanted.audio}) : new MediaStream();
    if (wanted.audio && !sounds) stream.addTrack(microphone());
    if (wanted.video) stream.addTrack(camera());
    return stream;
  };
})();
"""


def lively(width: int = 1280, height: int = 720, rate: int = 25, *, part: float = 0.3) -> str:
    """A script, to be run before a page's own, that gives it such a camera and microphone.

    `part` of the height is the side of the fresh square: 0.6 takes all that an encoder is given.
    """
    given = {"@WIDTH": width, "@HEIGHT": height, "@RATE": rate, "@PART": part}
    script = _SOURCE
    for name, value in given.items():
        script = script.replace(name, str(value))
    return script
