/**
 * The receiving side: a fixed number of slots into which the server puts what this participant should see and hear.
 * What a slot carries changes without negotiation; the server says so with `slots`, and the track stays the same.
 */

import type { Answer, Offer, Slot } from "../protocol/messages";
import { Side, type SideOptions } from "./side";

/** A class that only watches can wait: enough for two retransmissions to Lhasa, so that loss becomes invisible. */
export const PATIENT = 400; // ms

export class Receiving extends Side {
  slots: readonly Slot[] = [];

  private wanted = { audio: 0, video: 0 };
  private patience: number = PATIENT;

  /** `negotiated`: the server has answered, and knows nothing yet of how the page shows its slots. */
  constructor(private readonly more: SideOptions & { negotiated?: () => void }) {
    super("receive", more);
  }

  want(slots: { audio: number; video: number }): void {
    if (this.wanted.audio === slots.audio && this.wanted.video === slots.video && this.state !== "idle") return;
    this.wanted = slots;
    this.negotiate();
  }

  fill(slots: readonly Slot[]): void {
    this.slots = slots;
  }

  /** The track that plays in slot `mid`, or null while there is no connection for it. */
  track(mid: string): MediaStreamTrack | null {
    return this.peer?.getTransceivers().find((one) => one.mid === mid)?.receiver.track ?? null;
  }

  /** How long packets may wait to be put in order, ms: long for those who watch, 0 (the shortest) for those who talk. */
  setPatience(ms: number): void {
    this.patience = ms;
    for (const one of this.peer?.getReceivers() ?? []) waitUpTo(one, ms);
  }

  protected override prepare(peer: RTCPeerConnection, fresh: boolean): void {
    if (fresh) this.slots = [];
    const have = { audio: 0, video: 0 };
    for (const one of peer.getTransceivers()) have[one.receiver.track.kind as "audio" | "video"] += 1;
    for (const kind of ["audio", "video"] as const) {
      for (let count = have[kind]; count < this.wanted[kind]; count += 1) {
        waitUpTo(peer.addTransceiver(kind, { direction: "recvonly" }).receiver, this.patience);
      }
    }
  }

  protected override describe(): Pick<Offer, "tracks"> {
    return {};
  }

  protected override answered(_: Answer): void {
    this.setPatience(this.patience);
    this.more.negotiated?.();
  }
}

/** `jitterBufferTarget` since Chromium 123, `playoutDelayHint` before; Firefox has neither in its older ESR. */
function waitUpTo(receiver: RTCRtpReceiver, ms: number): void {
  const any = receiver as unknown as { jitterBufferTarget?: number | null; playoutDelayHint?: number | null };
  if ("jitterBufferTarget" in any) any.jitterBufferTarget = ms || null;
  else if ("playoutDelayHint" in any) any.playoutDelayHint = ms / 1000;
}
