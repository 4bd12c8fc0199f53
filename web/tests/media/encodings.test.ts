import { describe, expect, test } from "vitest";
import { adjust, encodingsOf } from "../../src/media/encodings";

describe("what a source is sent as", () => {
  test.each([
    [720, "h 1, m 2, l 4"],
    [1080, "h 1.5, m 3, l 6"],
    [600, "h 1, m 1.667, l 3.333"],
    [480, "m 1, l 2.667"],
    [360, "m 1, l 2"],
    [240, "l 1"],
    [90, "l 1"],
  ])("a camera of %i lines has the layers %s", (lines, layers) => {
    const scale = (value = 0) => Number(value.toFixed(3));
    expect(encodingsOf("camera", lines).map((one) => `${one.rid} ${scale(one.scaleResolutionDownBy)}`).join(", ")).toBe(layers);
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
