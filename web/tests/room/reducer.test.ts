import { expect, test } from "vitest";
import type { LessonEvent } from "../../src/protocol/messages";
import { classes, EMPTY_ROOM, fromSnapshot, headcount, lead, reduce, type RoomState } from "../../src/room/reducer";
import { lessonEvent, SNAPSHOT } from "../support/fake_socket";

const fold = (...events: LessonEvent[]): RoomState => events.reduce((state, one) => reduce(state, one), EMPTY_ROOM);
const joined = (seq: number, participant_id: string, role = "receiving_class", headcount: number | null = null) =>
  lessonEvent(seq, "joined", { participant_id, role, name: `name of ${participant_id}`, headcount, class_id: null }, participant_id);

test("who joins is here, who leaves takes hand, floor and publications along", () => {
  const state = fold(
    joined(1, "c-1"),
    joined(2, "c-2"),
    lessonEvent(3, "hand", { raised: true }, "c-1"),
    lessonEvent(4, "floor", { participant_id: "c-1", granted: true }),
    lessonEvent(5, "published", { publication_id: "p-1", participant_id: "c-1", kind: "video", source: "camera" }),
    lessonEvent(6, "left", { participant_id: "c-1", reason: "lost" }),
  );
  expect(state.participants.map((one) => one.participant_id)).toEqual(["c-2"]);
  expect(state.publications).toEqual([]);
  expect(state.removed).toEqual([]);
});

test("who is sent out is remembered, so that its page can say so", () => {
  expect(fold(joined(1, "c-1"), lessonEvent(2, "left", { participant_id: "c-1", reason: "removed" })).removed).toEqual(["c-1"]);
});

test("a hand is up since its event and goes down when the floor is given", () => {
  const up = fold(joined(1, "c-1"), lessonEvent(2, "hand", { raised: true }, "c-1"));
  expect(up.participants[0]?.hand_ms).toBe(2000);
  const given = reduce(up, lessonEvent(3, "floor", { participant_id: "c-1", granted: true }));
  expect(given.participants[0]).toMatchObject({ on_floor: true, hand_ms: null });
  const back = reduce(given, lessonEvent(4, "floor", { participant_id: "c-1", granted: false }));
  expect(back.participants[0]?.on_floor).toBe(false);
});

test("coming back keeps place and hand", () => {
  const state = fold(
    joined(1, "c-1"),
    joined(2, "c-2"),
    lessonEvent(3, "hand", { raised: true }, "c-1"),
    lessonEvent(4, "away", { participant_id: "c-1", away: true }),
    joined(5, "c-1"),
  );
  expect(state.participants.map((one) => one.participant_id)).toEqual(["c-1", "c-2"]);
  expect(state.participants[0]).toMatchObject({ away: false, hand_ms: 3000, joined_ms: 1000 });
});

test("publications come, are muted, and go by their id", () => {
  const published = { publication_id: "p-1", participant_id: "t-1", kind: "audio", source: "microphone" };
  const state = fold(lessonEvent(1, "published", published), lessonEvent(2, "muted", { publication_id: "p-1", muted: true }));
  expect(state.publications).toEqual([{ ...published, muted: true, since_ms: 1000 }]);
  // published again (a codec change, a resumed section): still one, and open
  const again = reduce(state, lessonEvent(3, "published", published));
  expect(again.publications).toEqual([{ ...published, muted: false, since_ms: 3000 }]);
  expect(reduce(again, lessonEvent(4, "unpublished", { publication_id: "p-1" })).publications).toEqual([]);
});

test("chat keeps the last hundred lines, with the name the writer had", () => {
  let state = fold(joined(1, "c-1"));
  for (let seq = 2; seq < 152; seq += 1) state = reduce(state, lessonEvent(seq, "chat", { text: `${seq}` }, "c-1"));
  expect(state.chat).toHaveLength(100);
  expect(state.chat[99]).toMatchObject({ seq: 151, text: "151", name: "name of c-1", role: "receiving_class" });
});

test("start and end are told once, recording as it is", () => {
  const state = fold(
    lessonEvent(1, "started", {}),
    lessonEvent(2, "started", {}),
    lessonEvent(3, "recording", { state: "stopped", reason: "disk_full" }),
    lessonEvent(4, "ended", {}),
  );
  expect(state).toMatchObject({ startedMs: 1000, endedMs: 4000, recording: "stopped", recordingReason: "disk_full" });
});

test("a snapshot and the events after it make the state that all events make", () => {
  const events = [
    joined(1, "t-1", "lead_teacher"),
    joined(2, "c-1", "receiving_class", 43),
    lessonEvent(3, "started", {}),
    lessonEvent(4, "recording", { state: "stopped", reason: "disk_full" }),
  ];
  const snapshot = fromSnapshot({
    ...SNAPSHOT,
    started_ms: 3000,
    recording: "stopped",
    recording_reason: "disk_full",
    participants: [
      { participant_id: "t-1", role: "lead_teacher", name: "name of t-1", headcount: null, joined_ms: 1000, hand_ms: null, on_floor: false, away: false, consent: null, mode: "interactive", spoke_ms: null, class_id: null, silenced: false, waiting: false },
      { participant_id: "c-1", role: "receiving_class", name: "name of c-1", headcount: 43, joined_ms: 2000, hand_ms: null, on_floor: false, away: false, consent: null, mode: "interactive", spoke_ms: null, class_id: null, silenced: false, waiting: false },
    ],
  });
  const after = lessonEvent(5, "hand", { raised: true }, "c-1");
  expect(reduce(snapshot, after)).toEqual(fold(...events, after));
});

test("a class consents to being recorded by its name, and withdraws without one", () => {
  const unnamed = lessonEvent(1, "joined", { participant_id: "c-1", role: "receiving_class", name: "", headcount: null });
  expect(fold(unnamed).participants[0]).toMatchObject({ name: "", consent: null });
  const given = lessonEvent(2, "consent", { participant_id: "c-1", given: true, name: "六(2)班", headcount: 43 });
  expect(fold(unnamed, given).participants[0]).toMatchObject({ name: "六(2)班", headcount: 43, consent: true });
  const withdrawn = lessonEvent(3, "consent", { participant_id: "c-1", given: false, name: "", headcount: null });
  expect(fold(unnamed, given, withdrawn).participants[0]).toMatchObject({ name: "六(2)班", consent: false });
});

test("a teacher sees waiting hands first, by age, then the floor, then the others as they came", () => {
  const state = fold(
    joined(1, "c-1"),
    joined(2, "c-2"),
    joined(3, "c-3"),
    joined(4, "c-4"),
    joined(5, "o-1", "observer"),
    lessonEvent(6, "hand", { raised: true }, "c-4"),
    lessonEvent(7, "hand", { raised: true }, "c-2"),
    lessonEvent(8, "floor", { participant_id: "c-3", granted: true }),
  );
  expect(classes(state).map((one) => one.participant_id)).toEqual(["c-4", "c-2", "c-3", "c-1"]);
});

test("pupils are counted from the classes, and the lead who is here goes before the one who is away", () => {
  const state = fold(
    joined(1, "t-1", "lead_teacher"),
    joined(2, "t-2", "lead_teacher"),
    joined(3, "c-1", "receiving_class", 43),
    joined(4, "c-2", "receiving_class", 38),
    joined(5, "c-3"),
    lessonEvent(6, "away", { participant_id: "t-1", away: true }),
  );
  expect(headcount(state)).toBe(81);
  expect(lead(state)?.participant_id).toBe("t-2");
});
