/** A peer connection without a network: sections as the standard has them, states as the test says. */

import type { Answer, Offer } from "../../src/protocol/messages";

export class FakeTrack {
  enabled = true;
  contentHint = "";
  onended: (() => void) | null = null;
  constructor(readonly kind: "audio" | "video") {}
  stop(): void {}
}

export const track = (kind: "audio" | "video") => new FakeTrack(kind) as unknown as MediaStreamTrack;

export class FakePeer {
  constructor(readonly configuration: RTCConfiguration = {}) {}
  connectionState = "new";
  onconnectionstatechange: (() => void) | null = null;
  ontrack = null;
  localDescription: { sdp: string } | null = null;
  remote: string | null = null;
  restarts = 0;
  readonly transceivers: {
    mid: string | null;
    direction: string;
    sender: {
      track: MediaStreamTrack | null;
      replaceTrack: (t: MediaStreamTrack | null) => Promise<void>;
      getParameters: () => { encodings: RTCRtpEncodingParameters[] };
      setParameters: (next: { encodings: RTCRtpEncodingParameters[] }) => Promise<void>;
    };
    receiver: { track: { kind: string }; jitterBufferTarget: number | null };
    encodings: RTCRtpEncodingParameters[];
  }[] = [];

  addTransceiver(what: string | MediaStreamTrack, init: { direction: string; sendEncodings?: RTCRtpEncodingParameters[] }) {
    let read: object | null = null;
    const sender = {
      track: typeof what === "string" ? null : what,
      replaceTrack: async (next: MediaStreamTrack | null) => void (sender.track = next),
      getParameters: () => (read = { encodings: transceiver.encodings.map((one) => ({ ...one })) }) as never,
      setParameters: async (next: { encodings: RTCRtpEncodingParameters[] }) => {
        if (next !== read) throw new Error("parameters are set as they were last read");
        read = null;
        transceiver.encodings = next.encodings;
      },
    };
    const transceiver: FakePeer["transceivers"][number] = {
      mid: null,
      direction: init.direction,
      sender,
      receiver: { track: { kind: typeof what === "string" ? what : what.kind }, jitterBufferTarget: null },
      encodings: init.sendEncodings ?? [],
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  getTransceivers() {
    return this.transceivers;
  }

  getReceivers() {
    return this.transceivers.map((one) => one.receiver);
  }

  async createOffer() {
    return { type: "offer", sdp: `offer of ${this.transceivers.length} sections` };
  }

  async setLocalDescription(description: { sdp: string }) {
    this.localDescription = description;
    this.transceivers.forEach((one, index) => (one.mid ??= String(index)));
  }

  async setRemoteDescription(description: { sdp: string }) {
    this.remote = description.sdp;
  }

  async getStats() {
    return new Map();
  }

  restartIce(): void {
    this.restarts += 1;
  }

  close(): void {
    this.connectionState = "closed";
  }

  become(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

/** What a side needs to live: peers it makes are kept, offers are answered, or refused when the test says so. */
export function surroundings() {
  const peers: FakePeer[] = [];
  const offers: Offer[] = [];
  const refuse: { with: Error | null } = { with: null };
  return {
    peers,
    offers,
    refuse,
    newest: () => peers[peers.length - 1] as FakePeer,
    options: {
      changed: () => undefined,
      createPeer: (configuration: RTCConfiguration) => {
        const peer = new FakePeer(configuration);
        peers.push(peer);
        return peer as unknown as RTCPeerConnection;
      },
      request: async (offer: Offer): Promise<Answer> => {
        offers.push(offer);
        if (refuse.with) throw refuse.with;
        return {
          type: "answer",
          re: 1,
          direction: offer.direction,
          generation: offer.generation,
          sdp: "answer",
          publications: (offer.tracks ?? []).map(({ mid, source }) => ({
            mid,
            source,
            publication_id: `p-${mid}`,
            kind: source === "microphone" ? ("audio" as const) : ("video" as const),
          })),
        };
      },
    },
  };
}
