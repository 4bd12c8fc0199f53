/**
 * One direction of a participant's media, kept alive: a peer connection, and after it is lost the next one.
 *
 * Each peer connection is a generation. One that has lost its way through the network first looks for another with fresh
 * ICE credentials: then keys, ids and jitter buffers stay. Whatever else takes it away (the media worker, a network
 * that lets nothing through), the cure is a new generation. Both are offered over the WebSocket and wait for it.
 *
 *     idle ──▶ connecting ──▶ flowing ──▶ recovering ──▶ flowing …        refused: the server does not want this offer
 */

import { delayBefore, type Patience } from "../protocol/backoff";
import { RequestError } from "../protocol/connection";
import type { Answer, Direction, Offer } from "../protocol/messages";
import { withInBandFec } from "./sdp";

export type SideState = "idle" | "connecting" | "flowing" | "recovering" | "refused";

export interface SideOptions {
  request: (offer: Offer) => Promise<Answer>;
  changed: () => void;
  createPeer?: (configuration: RTCConfiguration) => RTCPeerConnection;
  generation?: number; // of the last peer connection of this session, when the page was loaded again
}

const PATIENCE: Patience = { first: 400, most: 8_000 };
const CONNECTING = 8_000; // ms from an answer to a connected transport; then the next generation tries
const RESTARTING = 4_000; // ms from the answer to an ICE restart; then the next generation tries
const DISCONNECTED = 2_000; // ms a transport may hang; consent checks come every 2.5 s or so
const FINAL = new Set(["not_allowed", "sdp_malformed", "no_common_codec"]);

export abstract class Side {
  state: SideState = "idle";
  /** Failed attempts in a row, for the sentence about blocked networks. */
  failures = 0;
  refusal: string | null = null;
  generation: number;

  protected peer: RTCPeerConnection | null = null;
  private iceServers: RTCIceServer[] = [];
  private online = false; // the WebSocket is open
  private fresh = true; // the next offer needs a new peer connection
  private mayRestart = false; // it was connected, and ICE was not restarted since
  private restarting = false;
  private dirty = false; // there is something to offer
  private working = false;
  private closed = false;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly direction: Direction,
    private readonly options: SideOptions,
  ) {
    this.generation = options.generation ?? 0;
  }

  /** The WebSocket is open. `resumed`: the server still holds what was negotiated before. */
  connected(iceServers: RTCIceServer[], resumed: boolean): void {
    this.iceServers = iceServers;
    this.online = true;
    if (!resumed) this.lost();
    else if (this.peer && !this.healthy && !this.restarting) this.astray();
    else void this.work();
  }

  disconnected(): void {
    this.online = false;
    clearTimeout(this.again);
  }

  /** The network is another, or was away: the old way may be dead without having said so. */
  moved(): void {
    if (this.state === "flowing") this.astray();
  }

  /** This peer connection is of no use any more. */
  lost(): void {
    if (this.closed || this.state === "idle" || this.state === "refused") return;
    this.fresh = true;
    this.dirty = true;
    this.enter("recovering");
    void this.work();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.watch);
    clearTimeout(this.again);
    this.dropPeer();
    this.enter("idle");
  }

  statistics(): Promise<RTCStatsReport> | null {
    return this.peer?.getStats() ?? null;
  }

  /** Offer what is wanted now, soon; several changes in one turn make one offer. */
  protected negotiate(): void {
    if (this.closed) return;
    this.dirty = true;
    if (this.state === "idle" || this.state === "refused") {
      this.refusal = null;
      this.enter("connecting");
    }
    void Promise.resolve().then(() => this.work());
  }

  /** Nothing is wanted any more. */
  protected rest(): void {
    this.dirty = false;
    this.fresh = true;
    this.failures = 0;
    clearTimeout(this.watch);
    clearTimeout(this.again);
    this.dropPeer();
    this.enter("idle");
  }

  /** Bring the sections of `peer` to what is wanted; called before each offer, with `fresh` on a new peer connection. */
  protected abstract prepare(peer: RTCPeerConnection, fresh: boolean): void | Promise<void>;
  protected abstract describe(peer: RTCPeerConnection): Pick<Offer, "tracks">;
  /** What the answer is to say besides. */
  protected refine(sdp: string): string {
    return sdp;
  }

  protected abstract answered(answer: Answer, peer: RTCPeerConnection): void;

  private get healthy(): boolean {
    return this.peer?.connectionState === "connected" || this.peer?.connectionState === "connecting";
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    clearTimeout(this.again);
    try {
      while (this.dirty && this.online && !this.closed) await this.offer();
    } catch (error) {
      this.failed(error);
    } finally {
      this.working = false;
    }
  }

  private async offer(): Promise<void> {
    this.dirty = false;
    const fresh = this.fresh || !this.peer;
    if (fresh) this.renew();
    const peer = this.peer;
    if (!peer) return;
    await this.prepare(peer, fresh);
    await peer.setLocalDescription(await peer.createOffer());
    const answer = await this.options.request({
      type: "offer",
      direction: this.direction,
      sdp: peer.localDescription?.sdp ?? "",
      generation: this.generation,
      ...this.describe(peer),
    });
    if (peer !== this.peer || this.closed) return;
    await peer.setRemoteDescription({ type: "answer", sdp: this.refine(withInBandFec(answer.sdp)) });
    this.answered(answer, peer);
    if (peer.connectionState !== "connected") this.expectConnected(this.restarting ? RESTARTING : CONNECTING);
    else this.transportChanged(peer); // the old way goes on until the new one is found
    this.options.changed();
  }

  private renew(): void {
    this.dropPeer();
    this.fresh = this.mayRestart = this.restarting = false;
    this.generation += 1;
    const configuration: RTCConfiguration = { bundlePolicy: "max-bundle", iceServers: this.iceServers };
    const peer = this.options.createPeer?.(configuration) ?? new RTCPeerConnection(configuration);
    this.peer = peer;
    peer.onconnectionstatechange = () => this.transportChanged(peer);
    this.options.changed(); // the generation is used up, whatever comes of it
  }

  private transportChanged(peer: RTCPeerConnection): void {
    if (peer !== this.peer) return;
    switch (peer.connectionState) {
      case "connected":
        clearTimeout(this.watch);
        this.failures = 0;
        this.mayRestart = true;
        this.restarting = false;
        return this.enter("flowing");
      case "disconnected":
        return this.expectConnected(DISCONNECTED);
      case "failed":
        clearTimeout(this.watch);
        return this.astray();
    }
  }

  private expectConnected(within: number): void {
    const peer = this.peer;
    clearTimeout(this.watch);
    this.watch = setTimeout(() => {
      if (peer && peer === this.peer && peer.connectionState !== "connected") this.astray();
    }, within);
  }

  /** The transport has lost its way: let it look for another, once; else it takes a new one. */
  private astray(): void {
    if (this.closed) return;
    if (!this.peer || !this.mayRestart) {
      this.restarting = false;
      return this.failed(new RequestError("transport_failed"));
    }
    this.mayRestart = false;
    this.restarting = true;
    this.peer.restartIce();
    this.dirty = true;
    this.enter("recovering");
    void this.work();
  }

  /** The last attempt came to nothing: try again with a new generation, or stop if the server says never. */
  private failed(error: unknown): void {
    if (this.closed || this.state === "idle") return;
    const code = error instanceof RequestError ? error.code : "browser_error";
    if (!(error instanceof RequestError)) console.warn("Tongke:", error);
    this.dirty = true;
    if (code === "connection_lost" && this.restarting) return; // the way to say so was gone too: `connected` will
    this.fresh = true;
    if (FINAL.has(code)) {
      this.dirty = false;
      this.refusal = code;
      this.dropPeer();
      return this.enter("refused");
    }
    this.enter("recovering");
    if (code === "connection_lost") return; // `connected` will start again
    const wait = code === "transport_failed" && this.failures === 0 ? 0 : delayBefore(this.failures, PATIENCE, Math.random());
    this.failures += 1;
    clearTimeout(this.again);
    this.again = setTimeout(() => void this.work(), wait);
    this.options.changed();
  }

  private dropPeer(): void {
    clearTimeout(this.watch);
    const peer = this.peer;
    this.peer = null;
    if (!peer) return;
    peer.onconnectionstatechange = null;
    peer.ontrack = null;
    peer.close();
  }

  private enter(state: SideState): void {
    if (this.state === state) return;
    this.state = state;
    this.options.changed();
  }
}
