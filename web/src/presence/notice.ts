/** The one quiet sentence of a live page: the most urgent of what is not as it should be, or nothing. */

import type { DeviceProblem } from "../media/devices";
import type { Source } from "../protocol/messages";
import { lead } from "../room/reducer";
import type { PresenceState } from "./presence";

export interface Notice {
  key: string;
  grave: boolean; // shown at once and with a sign; the others wait a second, most are over by then
  retry: Source | "both" | null; // a device that can be tried again
}

/** `wasOpen`: the page has been in the room before, so that a connection being made is one being made again. */
export function noticeOf(state: PresenceState, online: boolean, wasOpen: boolean): Notice | null {
  if (state.closedBy || state.room.endedMs !== null) return null;
  if (state.phase !== "open") {
    if (!online) return say("notice.offline", true);
    return wasOpen || state.phase === "waiting" ? say("notice.rejoining") : null;
  }
  if (state.blocked && !state.http) return say("notice.blocked", true);
  const { microphone, camera } = state.own.problems;
  if (microphone && microphone === camera) return say(`device.both.${camera}`, true, "both");
  for (const source of ["microphone", "camera", "screen"] as const) {
    const problem: DeviceProblem | null = state.own.problems[source];
    if (problem) return say(`device.${source}.${problem}`, true, source);
  }
  const { document_camera, second_microphone } = state.own.problems;
  if (document_camera) return say(`device.camera.${document_camera}`, true);
  if (second_microphone) return say(`device.microphone.${second_microphone}`, true);
  if (state.refusal) return say(`problem.${state.refusal}`, true);
  if (state.http) return say("notice.http");
  if (state.receiving === "recovering" || state.sending === "recovering") return say("notice.media");
  if (state.room.recording === "stopped") return say(`recording.${whyStopped(state.room.recordingReason)}`, true);
  if (state.room.recording === "paused" && state.rights.includes("set_recording")) return say("recording.pausedText", true);
  const teacher = lead(state.room);
  if (teacher?.away && teacher.participant_id !== state.me) return say("notice.teacherAway");
  if (state.rung === "audio") return say("notice.audio");
  if (state.line === "poor") return say("notice.poor");
  return null;
}

function whyStopped(reason: string | null): string {
  return reason === "disk_full" || reason === "disk_error" ? reason : "recorder_lost";
}

function say(key: string, grave = false, retry: Notice["retry"] = null): Notice {
  return { key, grave, retry };
}
