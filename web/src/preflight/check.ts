/** The whole check, step by step, as one state that a page draws. */

import { type DeviceProblem, openBoth } from "../media/devices";
import { meter } from "../media/meter";
import { ApiError } from "../protocol/http";
import { serverTime } from "./api";
import { clockWrong, lineFaults, type LineFault, type MicrophoneFault, microphoneFault } from "./faults";
import { ahead, type Figures } from "./figures";
import { measure, type Plan, type Stage } from "./line";
import { notes } from "./noise";

export type Audience = "class" | "teacher";

export const PLANS: { [audience in Audience]: Plan } = {
  class: { loss: 4.2, rate: 1.7 },
  teacher: { loss: 20, rate: 5 },
};
const BESIDE = 3; // seconds for what is beside the measuring: to connect, and for the line to be empty again

/** How long a check takes, seconds, from the moment the devices are open. */
export const duration = (plan: Plan): number => plan.loss + 2 * plan.rate + BESIDE;

export interface CheckState {
  readonly running: boolean;
  readonly done: boolean;
  readonly stage: "asking" | Stage | null; // what happens now
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
  readonly cameraFault: DeviceProblem | null;
  readonly microphoneFault: MicrophoneFault | null;
  readonly microphoneHeard: boolean; // whether the browser told how loud it is
  readonly figures: Figures | null;
  readonly lineFaults: readonly LineFault[];
  readonly ahead: number | null; // ms
  readonly quickest: number | null; // ms, of an answer by HTTP
  readonly heard: boolean | null; // the notes; null: not yet said
}

export const UNCHECKED: CheckState = {
  running: false,
  done: false,
  stage: null,
  camera: null,
  microphone: null,
  cameraFault: null,
  microphoneFault: null,
  microphoneHeard: false,
  figures: null,
  lineFaults: [],
  ahead: null,
  quickest: null,
  heard: null,
};

export class Check {
  state: CheckState = UNCHECKED;
  private closed = false;

  constructor(private readonly changed: (state: CheckState) => void) {}

  async run(plan: Plan): Promise<void> {
    this.release();
    this.set({ ...UNCHECKED, running: true, stage: "asking" });
    void this.playNotes();
    const devices = await openBoth({});
    if (this.closed) return stop(devices.camera, devices.microphone);
    this.set({ camera: devices.camera, microphone: devices.microphone, cameraFault: devices.cameraProblem, microphoneFault: devices.microphoneProblem });
    const levels: number[] = [];
    const deaf = devices.microphone ? meter(devices.microphone, (level) => levels.push(level)) : null;
    await Promise.all([this.measureLine(plan), this.lookAtClock()]);
    deaf?.();
    const { figures, quickest } = this.state;
    if (figures && figures.delay === null) this.set({ figures: { ...figures, delay: quickest } }); // a browser that tells none
    this.release();
    const loudest = levels.length ? Math.max(...levels) : null;
    this.set({ running: false, done: true, stage: null, microphoneFault: microphoneFault(devices.microphoneProblem, loudest), microphoneHeard: loudest !== null });
  }

  async playNotes(): Promise<void> {
    this.set({ heard: null });
    await notes().catch(() => undefined); // a computer without any sound: nobody will say that it was heard
  }

  sayHeard(heard: boolean): void {
    this.set({ heard });
  }

  /** Nobody looks any more. */
  close(): void {
    this.closed = true;
    this.release();
  }

  private async measureLine(plan: Plan): Promise<void> {
    try {
      const figures = await measure(plan, (stage) => this.set({ stage }));
      this.set({ figures, lineFaults: lineFaults(figures) });
    } catch (error) {
      const code = error instanceof ApiError ? error.code : "";
      if (!code) console.warn("Tongke:", error);
      const busy = code === "preflight_busy" || code === "too_many_tries";
      this.set({ lineFaults: [code === "offline" ? "offline" : busy ? "busy" : "failed"] });
    }
  }

  private async lookAtClock(): Promise<void> {
    const answers: { sent: number; received: number; now: number }[] = [];
    try {
      for (let count = 0; count < 3; count += 1) {
        const sent = Date.now();
        const now = await serverTime();
        answers.push({ sent, received: Date.now(), now });
      }
    } catch {
      // the line's own fault says it
    }
    const quickest = answers.length ? Math.min(...answers.map((one) => one.received - one.sent)) : null;
    this.set({ ahead: ahead(answers), quickest });
  }

  private release(): void {
    stop(this.state.camera, this.state.microphone);
    this.set({ camera: null, microphone: null });
  }

  private set(fields: Partial<CheckState>): void {
    this.state = { ...this.state, ...fields };
    if (!this.closed) this.changed(this.state);
  }
}

/** How many things there are to look at. */
export function faultCount(state: CheckState): number {
  const others = [state.cameraFault, state.microphoneFault, clockWrong(state.ahead), state.heard === false];
  return state.lineFaults.length + others.filter(Boolean).length;
}

function stop(...tracks: (MediaStreamTrack | null)[]): void {
  for (const track of tracks) track?.stop();
}
