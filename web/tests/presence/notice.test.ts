import { expect, test } from "vitest";
import devices from "../../src/i18n/parts/device";
import zh from "../../src/i18n/zh-CN";
import { noticeOf } from "../../src/presence/notice";
import type { PresenceState } from "../../src/presence/presence";
import { EMPTY_ROOM, reduce } from "../../src/room/reducer";
import { lessonEvent } from "../support/fake_socket";

const NONE = { microphone: null, camera: null, screen: null, document_camera: null, second_microphone: null };
const WELL: PresenceState = {
  phase: "open",
  closedBy: null,
  me: "c-1",
  role: "receiving_class",
  title: "草原",
  recordingPolicy: "consented",
  rights: [],
  room: EMPTY_ROOM,
  slots: [],
  qualities: {},
  rung: "high",
  speaking: [],
  transports: [],
  lines: [],
  receiving: "flowing",
  sending: "idle",
  blocked: false,
  refusal: null,
  line: "good",
  http: false,
  own: { tracks: NONE, problems: NONE, muted: false, opening: false, live: false, music: false },
};
const away = [
  lessonEvent(1, "joined", { participant_id: "t", role: "lead_teacher", name: "", headcount: null }),
  lessonEvent(2, "away", { participant_id: "t", away: true }),
].reduce((state, one) => reduce(state, one), EMPTY_ROOM);

test.each<[string, Partial<PresenceState>, string | null]>([
  ["all is well", {}, null],
  ["the WebSocket is being made again", { phase: "opening" }, "notice.rejoining"],
  ["media are being made again", { receiving: "recovering" }, "notice.media"],
  ["no media get through", { receiving: "recovering", blocked: true }, "notice.blocked"],
  ["the lesson is watched by HTTP instead", { receiving: "recovering", blocked: true, http: true }, "notice.http"],
  ["the camera is refused", { own: { ...WELL.own, problems: { ...NONE, camera: "refused" } } }, "device.camera.refused"],
  ["neither is found", { own: { ...WELL.own, problems: { ...NONE, camera: "missing", microphone: "missing" } } }, "device.both.missing"],
  ["the floor is full", { refusal: "floor_full" }, "problem.floor_full"],
  ["the disk is full", { room: { ...EMPTY_ROOM, recording: "stopped", recordingReason: "disk_full" } }, "recording.disk_full"],
  ["recording is paused, for who may pause it", { room: { ...EMPTY_ROOM, recording: "paused" }, rights: ["set_recording"] }, "recording.pausedText"],
  ["recording is paused, for everybody else", { room: { ...EMPTY_ROOM, recording: "paused" } }, null],
  ["the teacher is away", { room: away }, "notice.teacherAway"],
  ["every picture is paused", { rung: "audio", line: "poor" }, "notice.audio"],
  ["the line is weak", { line: "poor" }, "notice.poor"],
  ["the lesson is over", { phase: "closed", room: { ...EMPTY_ROOM, endedMs: 1 } }, null],
  ["another window has it", { phase: "closed", closedBy: "replaced" }, null],
])("%s", (_, fields, key) => {
  const notice = noticeOf({ ...WELL, ...fields }, true, true);
  expect(notice?.key ?? null).toBe(key);
  if (key) expect(key.split(".").reduce((at, part) => (at as never)?.[part], { ...zh, ...devices["zh-CN"] } as unknown)).toBeTypeOf("string");
});

test("the first connection is no reconnection, and no network is said to be none", () => {
  expect(noticeOf({ ...WELL, phase: "opening" }, true, false)).toBeNull();
  expect(noticeOf({ ...WELL, phase: "waiting" }, false, true)?.key).toBe("notice.offline");
});
