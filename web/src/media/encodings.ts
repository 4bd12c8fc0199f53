/**
 * What a source is sent as. A camera has three layers, so that each viewer gets the one its line and its tile can take;
 * a screen has two of the same size, because letters must stay sharp and only frames may be saved.
 *
 * The highest comes first and each says its scale: a server that wants no simulcast gets the first alone, and without a
 * scale of its own that would be the smallest.
 */

import type { Source } from "../protocol/messages";

const VOICE = 64_000; // bit/s
const MUSIC = 128_000;

/** Lines of the picture, its rid, and bit/s; the highest has 16 : 9. */
const CAMERA = [
  { lines: 720, rid: "h", maxBitrate: 1_500_000 },
  { lines: 360, rid: "m", maxBitrate: 500_000 },
  { lines: 180, rid: "l", maxBitrate: 120_000 },
] as const;

/** Pixels of a picture from which Chromium sends three layers, and two. Of more it would leave out the smallest. */
const THREE = 960 * 540;
const TWO = 480 * 270;

const SCREEN: RTCRtpEncodingParameters[] = [
  { rid: "h", maxBitrate: 2_000_000, maxFramerate: 15, scaleResolutionDownBy: 1 },
  { rid: "l", maxBitrate: 500_000, maxFramerate: 5, scaleResolutionDownBy: 1 },
];

export interface Size {
  width: number;
  height: number;
}

/**
 * The encodings of a source; `size`: what the camera's picture really has.
 *
 * On the wire the smallest layer of Chromium takes more than its limit: so long as the picture is too dull to use up what
 * the largest may take, copies of the smallest go out as retransmissions, which tell the browser that the path still
 * carries it. The server drops them unseen; no parameter keeps them away.
 */
export function encodingsOf(source: Source, size: Size = { width: 1280, height: 720 }, music = false): RTCRtpEncodingParameters[] {
  if (source === "microphone" || source === "second_microphone") return [{ maxBitrate: music ? MUSIC : VOICE }];
  if (source === "screen") return SCREEN.map((one) => ({ ...one }));
  const lines = Math.min(size.width, size.height); // of one that stands upright, its narrow side
  const pixels = size.width * size.height;
  // A camera that gives less has no use for the layers above it; its own size takes the place of the next.
  const fitting = CAMERA.filter((one) => one.lines * 0.75 <= lines);
  const layers = (fitting.length > 0 ? fitting : CAMERA.slice(-1)).slice(pixels >= THREE ? -3 : pixels >= TWO ? -2 : -1);
  return layers.map(({ lines: wanted, rid, maxBitrate }, index) => {
    const highest = index === 0 && lines <= CAMERA[0].lines;
    const usual = (wanted * wanted * 16) / 9; // pixels that the limit is meant for
    return {
      rid,
      maxBitrate: highest ? Math.min(CAMERA[0].maxBitrate, Math.round(maxBitrate * Math.max(1, pixels / usual))) : maxBitrate,
      scaleResolutionDownBy: highest ? scaleTo(size, lines) : scaleTo(size, Math.min(wanted, lines)),
    };
  });
}

/**
 * The scale that gives about so many lines, and even numbers both ways: half of them must be there for the colours.
 * Browsers round, or cut off what is behind the point; so there is less than a half behind it.
 */
function scaleTo({ width, height }: Size, lines: number): number {
  const [narrow, wide] = [Math.min(width, height), Math.max(width, height)];
  for (let off = 0; off < 16; off += 2) {
    for (const target of [lines - (lines % 2) - off, lines - (lines % 2) + off]) {
      if (target < 2 || target > narrow) continue;
      for (let more = 0; more < 0.45; more += 0.05) {
        const scale = narrow / (target + more);
        const other = wide / scale;
        if (scale >= 1 && Math.floor(narrow / scale) === target && Math.floor(other) % 2 === 0 && other % 1 < 0.45) return scale;
      }
    }
  }
  return Math.max(1, narrow / lines);
}

/** What a camera's picture has, when the browser says so. */
export function sizeOf(track: MediaStreamTrack): Size | undefined {
  const { width, height } = track.getSettings?.() ?? {};
  return width && height ? { width, height } : undefined;
}

/**
 * What of a sender's parameters has to change so that exactly the `active` layers are sent (null: all) within their
 * limits. Gives false when everything is so already.
 */
export function adjust(
  encodings: RTCRtpEncodingParameters[],
  wanted: readonly RTCRtpEncodingParameters[],
  active: readonly string[] | null,
): boolean {
  let changed = false;
  encodings.forEach((encoding, index) => {
    // Browsers that overlook `sendEncodings` have one encoding without a name: it takes the limit of the first.
    const limit = (wanted.find((one) => one.rid !== undefined && one.rid === encoding.rid) ?? wanted[index])?.maxBitrate;
    if (limit !== undefined && encoding.maxBitrate !== limit) {
      encoding.maxBitrate = limit;
      changed = true;
    }
    // One alone is the publication, whatever it is called at either end.
    const on = active === null || (encodings.length > 1 ? active.includes(encoding.rid ?? "") : active.length > 0);
    if ((encoding.active ?? true) !== on) {
      encoding.active = on;
      changed = true;
    }
  });
  return changed;
}
