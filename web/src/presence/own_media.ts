/**
 * What this person sends: microphone, camera, screen, from the preview to the live lesson. Devices are opened here and
 * closed here; the sending side only ever sees tracks.
 */

import {
  type DeviceChoice,
  DeviceError,
  type DeviceProblem,
  openBoth,
  openCamera,
  openMicrophone,
  openScreen,
  problemOf,
} from "../media/devices";
import type { Sending } from "../media/sending";
import { type Source, SOURCES } from "../protocol/messages";

export interface OwnState {
  readonly tracks: { readonly [source in Source]: MediaStreamTrack | null };
  readonly problems: { readonly [source in Source]: DeviceProblem | null };
  readonly muted: boolean; // the microphone is open and sends silence
  readonly opening: boolean;
  readonly live: boolean;
  readonly music: boolean; // the microphone is sent as it is
}

const NONE = { microphone: null, camera: null, screen: null, document_camera: null, second_microphone: null };

export class OwnMedia {
  state: OwnState = { tracks: NONE, problems: NONE, muted: false, opening: false, live: false, music: false };
  private choice: DeviceChoice = {};

  constructor(
    private readonly sending: Sending,
    private readonly changed: () => void,
    private readonly announceMute: () => void,
  ) {}

  /** Open camera and microphone, as far as there are any. */
  async open(choice: DeviceChoice = this.choice): Promise<void> {
    this.choice = choice;
    this.set({ opening: true });
    const opened = await openBoth(choice);
    this.set({ opening: false });
    this.accept("camera", opened.camera, opened.cameraProblem);
    this.accept("microphone", opened.microphone, opened.microphoneProblem);
  }

  /** Publish what is open, and from now on what will be opened. */
  goLive(): void {
    this.set({ live: true });
    for (const source of SOURCES) {
      const track = this.state.tracks[source];
      if (track) this.sending.publish(source, track);
    }
  }

  /** Give everything back: nothing is sent, no light stays on. */
  close(): void {
    this.sending.withdrawAll();
    for (const track of Object.values(this.state.tracks)) stop(track);
    this.set({ tracks: NONE, problems: NONE, muted: false, live: false });
  }

  /** The same microphone with silence: quicker than closing it, and the recording keeps one sound track. */
  setMuted(muted: boolean): void {
    const { microphone, second_microphone } = this.state.tracks;
    for (const track of [microphone, second_microphone]) if (track) track.enabled = !muted;
    this.set({ muted });
    this.announceMute();
  }

  async choose(kind: "camera" | "microphone", deviceId: string): Promise<void> {
    this.choice = { ...this.choice, [kind]: deviceId };
    if (kind === "camera") await this.setCamera(true);
    else await this.reopenMicrophone();
  }

  async setCamera(on: boolean): Promise<void> {
    if (!on) return this.drop("camera");
    await this.attempt("camera", () => openCamera(this.choice.camera));
  }

  async reopenMicrophone(): Promise<void> {
    await this.attempt("microphone", () => openMicrophone(this.choice.microphone, this.choice.music));
  }

  /** Music as it is, or a voice freed of echo and noise. */
  async setMusic(music: boolean): Promise<void> {
    this.choice = { ...this.choice, music };
    this.set({ music });
    this.sending.setMusic(music);
    if (this.state.tracks.microphone) await this.reopenMicrophone();
  }

  async setScreen(on: boolean): Promise<void> {
    if (!on) return this.drop("screen");
    await this.attempt("screen", openScreen);
  }

  /** A second camera, over paper or an experiment; null: none. */
  async setDocumentCamera(deviceId: string | null): Promise<void> {
    if (deviceId === null) return this.drop("document_camera");
    await this.attempt("document_camera", () => openCamera(deviceId, true));
  }

  /** A second microphone, for pupils or an instrument; null: none. It is muted with the first. */
  async setSecondMicrophone(deviceId: string | null): Promise<void> {
    if (deviceId === null) return this.drop("second_microphone");
    await this.attempt("second_microphone", () => openMicrophone(deviceId, this.choice.music, true));
  }

  private async attempt(source: Source, open: () => Promise<MediaStreamTrack | null>): Promise<void> {
    try {
      const track = await open();
      if (track) this.accept(source, track, null);
    } catch (error) {
      this.accept(source, this.state.tracks[source], error instanceof DeviceError ? error.problem : problemOf(error));
    }
  }

  private accept(source: Source, track: MediaStreamTrack | null, problem: DeviceProblem | null): void {
    const before = this.state.tracks[source];
    if (track) {
      if (track.kind === "audio") track.enabled = !this.state.muted;
      // Pulled out, or „stop sharing“ pressed in the browser's own bar.
      track.onended = () => {
        if (this.state.tracks[source] !== track) return;
        this.drop(source);
        if (source !== "screen") this.set({ problems: { ...this.state.problems, [source]: "missing" } });
      };
      if (this.state.live) this.sending.publish(source, track);
    }
    this.set({
      tracks: { ...this.state.tracks, [source]: track },
      problems: { ...this.state.problems, [source]: problem },
    });
    if (before !== track) stop(before);
  }

  private drop(source: Source): void {
    const track = this.state.tracks[source];
    this.set({ tracks: { ...this.state.tracks, [source]: null }, problems: { ...this.state.problems, [source]: null } });
    this.sending.withdraw(source);
    stop(track);
  }

  private set(fields: Partial<OwnState>): void {
    this.state = { ...this.state, ...fields };
    this.changed();
  }
}

function stop(track: MediaStreamTrack | null): void {
  if (!track) return;
  track.onended = null;
  track.stop();
}
