import { expect, test } from "vitest";
import { asking, by, plain } from "../../src/preflight/sdp";

const OFFER = `v=0
o=- 1 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9
c=IN IP4 0.0.0.0
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:9 G722/8000
`.replace(/\n/g, "\r\n");

const ANSWER = `v=0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host
a=candidate:2 1 tcp 1671430143 192.0.2.1 7000 typ host tcptype passive
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
`.replace(/\n/g, "\r\n");

test("an offer to measure with names Opus alone, and nothing by which the browser would adapt", () => {
  const lines = plain(OFFER).split("\r\n");
  expect(lines).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 111");
  expect(lines.filter((line) => /^a=(rtpmap|fmtp|rtcp-fb)/.test(line))).toEqual(["a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1"]);
  expect(lines.filter((line) => line.startsWith("a=extmap"))).toEqual(["a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"]);
  expect(lines.filter((line) => !line)).toHaveLength(1);
  expect(lines).toContain("a=group:BUNDLE 0");
});

test("an answer asks for sound of one rate, in short packets, whatever is said", () => {
  const lines = asking(asking(ANSWER, 6000), 510_000).split("\r\n");
  const form = lines.filter((line) => line.startsWith("a=fmtp:111"));
  expect(form).toHaveLength(1);
  expect(form[0]).toContain("maxaveragebitrate=510000");
  expect(form[0]).toContain("cbr=1");
  expect(lines.filter((line) => line === "a=ptime:10")).toHaveLength(1);
});

test("an answer of one protocol leaves no way by the other", () => {
  const ways = (sdp: string) => sdp.split("\r\n").filter((line) => line.startsWith("a=candidate"));
  expect(ways(by(ANSWER, "udp"))).toEqual([expect.stringContaining(" udp ")]);
  expect(ways(by(ANSWER, "tcp"))).toEqual([expect.stringContaining(" tcp ")]);
});
