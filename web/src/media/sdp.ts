/** The little that is said about codecs: an order of preference, and forward error correction inside Opus. */

/** Codecs in the order we want them. H.264 first: every school PC decodes it in hardware, the archive keeps it as it is. */
export function preferred<T extends { mimeType: string; sdpFmtpLine?: string }>(codecs: readonly T[]): T[] {
  const rank = (codec: T): number => {
    const name = codec.mimeType.toLowerCase();
    const format = codec.sdpFmtpLine ?? "";
    if (name === "video/h264") {
      if (!format.includes("packetization-mode=1")) return 3;
      return /profile-level-id=42[ce]0/i.test(format) ? 0 : /profile-level-id=42/i.test(format) ? 1 : 2;
    }
    const order = ["video/vp8", "video/vp9", "video/av1"].indexOf(name);
    return order < 0 ? 9 : 4 + order; // rtx, red, ulpfec follow what they belong to
  };
  return codecs
    .map((codec, index) => ({ codec, index, rank: rank(codec) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ codec }) => codec);
}

/** An answer that asks for Opus with in-band FEC in each audio section: a lost packet is then rebuilt from the next. */
export const withInBandFec = (sdp: string): string => withOpus(sdp, { useinbandfec: "1" });

/**
 * An answer that asks for music: no pauses in silence, and what Chromium takes for music rather than a voice, which is
 * anything with two channels. For a voice Opus cuts what is below some 100 Hz.
 */
export const forMusic = (sdp: string): string => withOpus(sdp, { usedtx: "0", stereo: "1" });

function withOpus(sdp: string, wanted: { [parameter: string]: string }): string {
  const parameters = Object.entries(wanted).map((pair) => pair.join("="));
  const opus = [...sdp.matchAll(/^a=rtpmap:(\d+) opus\/48000/gim)].map((match) => match[1]);
  if (opus.length === 0) return sdp;
  const lines: string[] = [];
  for (const section of sdp.split(/(?=^m=)/m)) lines.push(section.startsWith("m=audio") ? audio(section) : section);
  return lines.join("");

  function audio(section: string): string {
    for (const type of opus) {
      const rtpmap = new RegExp(`^a=rtpmap:${type} opus/48000.*$`, "im").exec(section);
      if (!rtpmap) continue;
      const fmtp = new RegExp(`^(a=fmtp:${type} )(.*?)(\\r?)$`, "m").exec(section);
      if (!fmtp) {
        section = section.replace(rtpmap[0], `${rtpmap[0].trimEnd()}\r\na=fmtp:${type} ${["minptime=10", ...parameters].join(";")}`);
      } else {
        const said = (fmtp[2] ?? "").split(";").map((part) => part.trim());
        if (parameters.every((one) => said.includes(one))) continue;
        const others = said.filter((part) => part && !((part.split("=")[0] ?? "") in wanted));
        section = section.replace(fmtp[0], `${fmtp[1]}${[...others, ...parameters].join(";")}${fmtp[3]}`);
      }
    }
    return section;
  }
}
