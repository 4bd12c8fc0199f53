import { expect, test } from "vitest";
import { forMusic, preferred, withInBandFec } from "../../src/media/sdp";

const h264 = (profile: string, mode = 1) => ({
  mimeType: "video/H264",
  sdpFmtpLine: `level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}`,
});
const codec = (name: string) => ({ mimeType: `video/${name}` });

test("H.264 constrained baseline comes first, the older codecs after it, repair last", () => {
  const offered = [codec("VP8"), codec("rtx"), codec("AV1"), h264("42001f"), h264("640c1f"), h264("42e01f", 0), h264("42e01f"), codec("VP9")];
  expect(preferred(offered)).toEqual([
    h264("42e01f"),
    h264("42001f"),
    h264("640c1f"),
    h264("42e01f", 0),
    codec("VP8"),
    codec("VP9"),
    codec("AV1"),
    codec("rtx"),
  ]);
});

test("a browser without H.264 sends VP8", () => {
  expect(preferred([codec("VP9"), codec("VP8"), codec("red")])[0]).toEqual(codec("VP8"));
});

const answer = (...audio: string[]) =>
  ["v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111", ...audio, "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000", ""].join("\r\n");

test("an answer asks for forward error correction in Opus", () => {
  const opus = "a=rtpmap:111 opus/48000/2";
  const wanted = (fmtp: string) => answer(opus, `a=fmtp:111 ${fmtp}`);
  expect(withInBandFec(wanted("minptime=10"))).toBe(wanted("minptime=10;useinbandfec=1"));
  expect(withInBandFec(wanted("useinbandfec=0;stereo=1"))).toBe(wanted("stereo=1;useinbandfec=1"));
  expect(withInBandFec(answer(opus))).toBe(wanted("minptime=10;useinbandfec=1"));
});

test("an answer that asks already, or has no Opus, stays as it is", () => {
  const asks = answer("a=rtpmap:111 opus/48000/2", "a=fmtp:111 useinbandfec=1;minptime=10");
  expect(withInBandFec(asks)).toBe(asks);
  expect(withInBandFec(answer("a=rtpmap:111 PCMU/8000"))).toBe(answer("a=rtpmap:111 PCMU/8000"));
});

test("music is asked for without pauses and in two channels, whatever the server offers", () => {
  const opus = "a=rtpmap:111 opus/48000/2";
  const wanted = (fmtp: string) => answer(opus, `a=fmtp:111 ${fmtp}`);
  expect(forMusic(wanted("minptime=10;usedtx=1;useinbandfec=1"))).toBe(wanted("minptime=10;useinbandfec=1;usedtx=0;stereo=1"));
  expect(forMusic(forMusic(wanted("usedtx=1")))).toBe(wanted("usedtx=0;stereo=1"));
});
