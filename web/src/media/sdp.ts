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
export function withInBandFec(sdp: string): string {
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
        section = section.replace(rtpmap[0], `${rtpmap[0].trimEnd()}\r\na=fmtp:${type} minptime=10;useinbandfec=1`);
      } else if (!fmtp[2]?.includes("useinbandfec=1")) {
        const others = (fmtp[2] ?? "").split(";").filter((part) => part && !part.trim().startsWith("useinbandfec"));
        section = section.replace(fmtp[0], `${fmtp[1]}${[...others, "useinbandfec=1"].join(";")}${fmtp[3]}`);
      }
    }
    return section;
  }
}
