/** Offers and answers by which a line is measured: sound without anything that would make the browser hold back. */

/** One section of an SDP, the m-line first. */
const SECTIONS = /(?=^m=)/m;

/**
 * An offer, or an answer, of Opus alone: no redundancy, no repetition, and no numbers by which the browser would find out that the line
 * is full and send less. It is to find out how much arrives of what is sent, not to get along with it.
 */
export function plain(sdp: string): string {
  return inSound(sdp, (section, opus) => {
    const kept = lines(section).filter((line) => {
      const about = /^a=(rtpmap|fmtp|rtcp-fb):(\d+)/.exec(line);
      if (about) return about[1] !== "rtcp-fb" && about[2] === opus;
      return !/^a=extmap:/.test(line) || /sdes:mid\s*$/.test(line);
    });
    return [(kept[0] ?? "").replace(/^(m=audio \S+ \S+).*/, `$1 ${opus}`), ...kept.slice(1)];
  });
}

/** The answer of one who wants sound of this bit rate, always, ten milliseconds to the packet. */
export function asking(answer: string, bitrate: number): string {
  return inSound(answer, (section, opus) => {
    const kept = lines(section).filter((line) => !line.startsWith(`a=fmtp:${opus} `) && !line.startsWith("a=ptime:"));
    const form = `minptime=10;useinbandfec=0;usedtx=0;cbr=1;stereo=1;sprop-stereo=1;maxaveragebitrate=${bitrate}`;
    return [...kept, `a=fmtp:${opus} ${form}`, "a=ptime:10"];
  });
}

/** The answer with no way but this one: whether it leads anywhere is the question. */
export function by(answer: string, protocol: "udp" | "tcp"): string {
  const other = protocol === "udp" ? "tcp" : "udp";
  return answer.replace(new RegExp(`^a=candidate:\\S+ 1 ${other} .*\\r?\\n`, "gim"), "");
}

function inSound(sdp: string, change: (section: string, opus: string) => string[]): string {
  return sdp
    .split(SECTIONS)
    .map((section) => {
      const opus = section.startsWith("m=audio") ? /^a=rtpmap:(\d+) opus\/48000/im.exec(section)?.[1] : undefined;
      return opus ? `${change(section, opus).join("\r\n")}\r\n` : section;
    })
    .join("");
}

const lines = (section: string) => section.split(/\r?\n/).filter(Boolean);
