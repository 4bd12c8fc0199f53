/** Whether this browser can play what was recorded in a codec: a Firefox without a decoder of its system has no H.264. */

const TYPES: { [codec: string]: string } = {
  H264: 'video/mp4; codecs="avc1.42e01f"',
  VP9: 'video/mp4; codecs="vp09.00.10.08"',
  AV1: 'video/mp4; codecs="av01.0.05M.08"',
  VP8: 'video/webm; codecs="vp8"',
};

/** `codec` as a recording names it. What we do not know is left to the player to try. */
export function playable(codec: string): boolean {
  const type = TYPES[codec];
  if (type === undefined) return true;
  if (type.startsWith("video/mp4") && typeof MediaSource !== "undefined") return MediaSource.isTypeSupported(type);
  return document.createElement("video").canPlayType(type) !== "";
}
