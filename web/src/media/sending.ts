/**
 * The sending side: at most one microphone, one camera and one screen. A section is made the first time a source is
 * published, and re-offered `inactive` when it stops, so that its id stays the same when it starts again.
 */

import type { Answer, Offer, Source } from "../protocol/messages";
import { preferred } from "./sdp";
import { Side, type SideOptions } from "./side";

const SOURCES: readonly Source[] = ["microphone", "camera", "screen"];

/** bits/s. A camera of 720p; a screen whose letters must be sharp, at few frames; a voice. */
const MAX_BITRATE: { [source in Source]: number } = { microphone: 64_000, camera: 1_500_000, screen: 2_500_000 };

export class Sending extends Side {
  /** Publication id by source, as the last answer gave them. */
  publications: ReadonlyMap<Source, string> = new Map();

  private readonly tracks = new Map<Source, MediaStreamTrack>();
  private sections = new Map<Source, RTCRtpTransceiver>();

  constructor(options: SideOptions) {
    super("send", options);
  }

  publish(source: Source, track: MediaStreamTrack): void {
    if (this.tracks.get(source) === track) return;
    const before = this.tracks.get(source);
    this.tracks.set(source, track);
    const section = this.sections.get(source);
    // Another device for the same publication: the section and its id stay, nothing is negotiated.
    if (before && section && section.direction === "sendonly") void section.sender.replaceTrack(track);
    else this.negotiate();
  }

  withdraw(source: Source): void {
    if (!this.tracks.delete(source)) return;
    if (this.tracks.size > 0 || this.sections.size > 0) this.negotiate();
  }

  /** Stop everything and give the peer connection back. */
  withdrawAll(): void {
    this.tracks.clear();
    this.sections.clear();
    this.publications = new Map();
    this.rest();
  }

  protected override async prepare(peer: RTCPeerConnection, fresh: boolean): Promise<void> {
    if (fresh) this.sections = new Map();
    for (const source of SOURCES) {
      const track = this.tracks.get(source) ?? null;
      const section = this.sections.get(source);
      if (!section) {
        if (track) this.sections.set(source, newSection(peer, source, track));
      } else if (section.sender.track !== track) {
        await section.sender.replaceTrack(track);
        section.direction = track ? "sendonly" : "inactive";
      }
    }
  }

  protected override describe(): Pick<Offer, "tracks"> {
    const tracks: { mid: string; source: Source }[] = [];
    for (const [source, section] of this.sections) if (section.mid !== null) tracks.push({ mid: section.mid, source });
    return { tracks };
  }

  protected override answered(answer: Answer): void {
    this.publications = new Map(answer.publications.map((one) => [one.source, one.publication_id]));
    for (const [source, section] of this.sections) limit(section.sender, MAX_BITRATE[source]);
  }
}

function newSection(peer: RTCPeerConnection, source: Source, track: MediaStreamTrack): RTCRtpTransceiver {
  if (source === "screen") track.contentHint = "detail"; // keep the resolution, give up frames
  const section = peer.addTransceiver(track, {
    direction: "sendonly",
    sendEncodings: [{ maxBitrate: MAX_BITRATE[source] }],
  });
  if (source !== "microphone") prefer(section);
  return section;
}

/** Firefox may reorder codecs and not leave some out; without H.264 the next common one, VP8, is taken. */
function prefer(section: RTCRtpTransceiver): void {
  const codecs = RTCRtpSender.getCapabilities?.("video")?.codecs;
  if (!codecs || typeof section.setCodecPreferences !== "function") return;
  try {
    section.setCodecPreferences(preferred(codecs));
  } catch {
    // an older browser compares with what it can receive: its own order will do
  }
}

/** Browsers that overlook `sendEncodings` take the limit from the parameters after the first answer. */
function limit(sender: RTCRtpSender, maxBitrate: number): void {
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  if (!encoding || encoding.maxBitrate === maxBitrate) return;
  encoding.maxBitrate = maxBitrate;
  sender.setParameters(parameters).catch(() => undefined);
}
