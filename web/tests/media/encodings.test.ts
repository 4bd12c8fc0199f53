import { describe, expect, test } from "vitest";
import { adjust, encodingsOf } from "../../src/media/encodings";

describe("what a source is sent as", () => {
  test.each([
    [1280, 720, "h 1280x720, m 640x360, l 320x180"],
    [1920, 1080, "h 1280x720, m 640x360, l 320x180"],
    [1280, 800, "h 1152x720, m 576x360, l 288x180"],
    [1366, 768, "h 1284x722, m 640x360, l 320x180"], // 1281x720 would be odd
    [1000, 600, "h 1000x600, m 600x360, l 300x180"],
    [960, 540, "h 960x540, m 640x360, l 320x180"],
    [800, 600, "m 800x600, l 240x180"], // of three Chromium would leave out the smallest
    [854, 480, "m 854x480, l 320x180"],
    [640, 480, "m 640x480, l 240x180"],
    [853, 481, "m 852x480, l 320x180"],
    [640, 360, "m 640x360, l 320x180"],
    [360, 270, "l 360x270"],
    [320, 240, "l 320x240"],
    [160, 90, "l 160x90"],
    [720, 1280, "h 720x1280, m 360x640, l 180x320"],
    [480, 640, "m 480x640, l 180x240"],
    [1080, 2400, "h 720x1600, m 360x800, l 180x400"],
  ])("a camera of %ix%i has the layers %s", (width, height, layers) => {
    const sized = (round: (value: number) => number) =>
      encodingsOf("camera", { width, height })
        .map(({ rid, scaleResolutionDownBy: scale = 0 }) => `${rid} ${round(width / scale)}x${round(height / scale)}`)
        .join(", ");
    expect(sized(Math.floor)).toBe(layers);
    expect(sized(Math.round)).toBe(layers); // some browsers do this, some that
  });

  test("every usual camera has layers of even numbers, which get smaller", () => {
    for (const height of [240, 270, 360, 450, 480, 540, 576, 600, 720, 768, 800, 960, 1080]) {
      for (let width = 16 * Math.ceil(height / 13); width <= 2 * height; width += 16) {
        const scales = encodingsOf("camera", { width, height }).map((one) => one.scaleResolutionDownBy ?? 0);
        expect([...scales].sort((a, b) => a - b)).toEqual(scales);
        for (const scale of scales) for (const side of [width, height]) expect([width, height, Math.floor(side / scale) % 2]).toEqual([width, height, 0]);
      }
    }
  });

  test("a camera that is larger than its highest layer usually is may take more, as far as the highest of all", () => {
    const most = (width: number, height: number) => encodingsOf("camera", { width, height })[0]?.maxBitrate;
    expect([most(640, 360), most(640, 480), most(800, 600), most(1280, 720), most(1280, 700)]).toEqual([
      500_000, 666_667, 1_041_667, 1_500_000, 1_500_000,
    ]);
  });

  test("the highest layer comes first, and each says its scale and its limit", () => {
    const camera = encodingsOf("camera");
    expect(camera.map((one) => one.maxBitrate)).toEqual([1_500_000, 500_000, 120_000]);
    const screen = encodingsOf("screen");
    expect(screen.map((one) => [one.rid, one.scaleResolutionDownBy, one.maxFramerate])).toEqual([["h", 1, 15], ["l", 1, 5]]);
    expect([...camera, ...screen].every((one) => one.scaleResolutionDownBy && one.maxBitrate)).toBe(true);
  });

  test("a voice has no layers", () => {
    expect(encodingsOf("microphone")).toEqual([{ maxBitrate: 64_000 }]);
  });
});

describe("what has to change", () => {
  test("nothing, when all is as it should be", () => {
    expect(adjust(encodingsOf("camera"), encodingsOf("camera"), null)).toBe(false);
    expect(adjust(encodingsOf("camera"), encodingsOf("camera"), ["l", "m", "h"])).toBe(false);
  });

  test("a browser that overlooked the encodings takes the limit of the first", () => {
    const encodings: RTCRtpEncodingParameters[] = [{}];
    expect(adjust(encodings, encodingsOf("camera"), null)).toBe(true);
    expect(encodings).toEqual([{ maxBitrate: 1_500_000 }]);
  });

  test("an encoding that is left alone is on while anything of it is needed, whatever its name", () => {
    const encodings = encodingsOf("camera").slice(0, 1);
    expect(adjust(encodings, encodingsOf("camera"), [""])).toBe(false);
    expect(adjust(encodings, encodingsOf("camera"), [])).toBe(true);
    expect(encodings[0]?.active).toBe(false);
  });
});
