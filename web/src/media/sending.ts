/**
 * The sending side: at most one track of each source. A section is made the first time a source is
 * published, and re-offered `inactive` when it stops, so that its id stays the same when it starts again.
 */

import { type Answer, type Offer, type Source, SOURCES } from "../protocol/messages";
import { adjust, encodingsOf, sizeOf } from "./encodings";
import { forMusic, preferred } from "./sdp";
import { Side, type SideOptions } from "./side";

export class Sending extends Side {
  /** Publication id by source, as the last answer gave them. */
  publications: ReadonlyMap<Source, string> = new Map();

  private readonly tracks = new Map<Source, MediaStreamTrack>();
  private sections = new Map<Source, RTCRtpTransceiver>();
  private readonly encodings = new Map<RTCRtpSender, RTCRtpEncodingParameters[]>();
  private readonly active = new Map<string, readonly string[]>(); // rids somebody needs, by publication id
  private music = false;
  private modest = false;
  private readonly adjusting = new Map<RTCRtpSender, Promise<void>>();

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

  /** Only these layers of a publication are needed: the others cost the line and the computer nothing from now on. */
  activate(publicationId: string, rids: readonly string[]): void {
    this.active.set(publicationId, rids);
    this.adjustAll(); // or, when the answer with this id is still on its way, as soon as it is here
  }

  /** Send the microphone as music is sent, or as a voice. */
  setMusic(music: boolean): void {
    if (this.music === music) return;
    this.music = music;
    const section = this.sections.get("microphone");
    if (!section) return;
    this.encodings.set(section.sender, encodingsOf("microphone", undefined, music));
    this.negotiate(); // what the encoder does is said in the answer
  }

  /** Send the smallest layer of a camera alone: for a picture that is only ever shown small. */
  setModest(modest: boolean): void {
    if (this.modest === modest) return;
    this.modest = modest;
    this.adjustAll();
  }

  /** Stop everything and give the peer connection back. */
  withdrawAll(): void {
    this.tracks.clear();
    this.sections.clear();
    this.publications = new Map();
    this.rest();
  }

  protected override async prepare(peer: RTCPeerConnection, fresh: boolean): Promise<void> {
    if (fresh) {
      this.sections = new Map();
      for (const forgotten of [this.encodings, this.active, this.adjusting]) forgotten.clear();
    }
    for (const source of SOURCES) {
      const track = this.tracks.get(source) ?? null;
      const section = this.sections.get(source);
      if (!section) {
        if (track) this.sections.set(source, this.newSection(peer, source, track));
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

  protected override refine(sdp: string): string {
    return this.music ? forMusic(sdp) : sdp;
  }

  protected override answered(answer: Answer): void {
    this.publications = new Map(answer.publications.map((one) => [one.source, one.publication_id]));
    this.adjustAll();
  }

  private newSection(peer: RTCPeerConnection, source: Source, track: MediaStreamTrack): RTCRtpTransceiver {
    if (source === "screen") track.contentHint = "detail"; // keep the resolution, give up frames
    const sendEncodings = encodingsOf(source, sizeOf(track), this.music);
    if (this.modest && source === "camera") sendEncodings.slice(0, -1).forEach((one) => (one.active = false));
    const section = peer.addTransceiver(track, { direction: "sendonly", sendEncodings });
    this.encodings.set(section.sender, sendEncodings);
    if (track.kind === "video") prefer(section);
    return section;
  }

  private adjustAll(): void {
    for (const [source, { sender }] of this.sections) {
      // One after the other: parameters may only be set as they were last read.
      const before = this.adjusting.get(sender) ?? Promise.resolve();
      this.adjusting.set(sender, before.then(() => this.adjustOne(source, sender)).catch(() => undefined));
    }
  }

  private async adjustOne(source: Source, sender: RTCRtpSender): Promise<void> {
    const parameters = sender.getParameters();
    // A microphone is never switched off: who is the loudest can only be told of those who are heard.
    const encodings = this.encodings.get(sender) ?? [];
    let needed = sender.track?.kind === "audio" ? undefined : this.active.get(this.publications.get(source) ?? "");
    if (this.modest && source === "camera" && needed?.length !== 0) needed = encodings.slice(-1).map((one) => one.rid ?? "");
    if (adjust(parameters.encodings ?? [], encodings, needed ?? null)) await sender.setParameters(parameters);
  }
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
