import { expect, test } from "vitest";
import type { OwnTransport, Participant, Slot } from "../../src/protocol/messages";
import { carriesOthers, forClass, gainOf, OTHERS_AT_MOST, waitingFor } from "../../src/room/class_view";
import type { Picture } from "../../src/room/pictures";
import { EMPTY_ROOM, reduce, type RoomState } from "../../src/room/reducer";
import { lessonEvent } from "../support/fake_socket";

const receiving = (estimate: number | null, bitrate = 500_000) =>
  [{ direction: "receive", estimate, slots: [{ mid: "3", bitrate }], publications: [] }] as unknown as OwnTransport[];
const picture = (mid: string, role: Participant["role"]): Picture => ({
  mid,
  publication_id: mid,
  source: "camera",
  who: { participant_id: mid, role } as Participant,
  paused: false,
  speaking: false,
});
const teacher = picture("3", "lead_teacher");
const others = Array.from({ length: 8 }, (_, index) => picture(`c${index}`, "receiving_class"));

test.each([
  [true, null, true],
  [false, null, false],
  [true, 650_000, true],
  [true, 590_000, false],
  [false, 650_000, false], // what has gone comes back only with room to spare
  [false, 850_000, true],
])("a line that carried other classes: %s, and is thought to carry %s bit/s, carries them: %s", (before, estimate, carries) => {
  expect(carriesOthers(before, receiving(estimate))).toBe(carries);
  expect(carriesOthers(before, [])).toBe(before);
});

test("a class sees at most six others small, none on a line that does not carry them, and its teacher always", () => {
  const arranged = { large: null, beside: null, small: [...others, teacher] };
  expect(forClass(arranged, "all", true).small).toHaveLength(OTHERS_AT_MOST + 1);
  expect(forClass(arranged, "all", false).small).toEqual([teacher]);
});

test("a class on stage is large on any line", () => {
  const arranged = { large: others[0]!, beside: null, small: [teacher] };
  expect(forClass(arranged, "all", false)).toEqual(arranged);
});

test("whoever wants the large picture alone, or sound alone, gets no more", () => {
  const arranged = { large: teacher, beside: null, small: others };
  expect(forClass(arranged, "large", true)).toEqual({ large: teacher, beside: null, small: [] });
  expect(forClass(arranged, "none", true)).toEqual({ large: null, beside: null, small: [] });
});

test("whoever wants sound alone still reads the page that is shown, wherever it stands", () => {
  const page = { ...picture("", "lead_teacher"), publication_id: "abcdefgh/2", source: "slides" as const };
  const alone = { large: page, beside: null, small: [] };
  expect(forClass({ large: page, beside: null, small: [teacher] }, "none", true)).toEqual(alone);
  expect(forClass({ large: teacher, beside: page, small: others }, "none", true)).toEqual(alone);
  expect(forClass({ large: teacher, beside: null, small: [page, ...others] }, "none", true)).toEqual(alone);
});

const told = (...events: Parameters<typeof lessonEvent>[]): RoomState =>
  events.reduce((state, one) => reduce(state, lessonEvent(...one)), EMPTY_ROOM);
const came = [1, "joined", { participant_id: "t", role: "lead_teacher", name: "", headcount: null, class_id: null }] as const;
const begun = told([...came], [2, "started", {}]);
const away = reduce(begun, lessonEvent(3, "away", { participant_id: "t", away: true }));
const gone = reduce(away, lessonEvent(4, "left", { participant_id: "t", reason: "lost" }));

test("a class waits for the lesson to begin, and for a teacher who is gone, and not while a picture moves", () => {
  expect(waitingFor(EMPTY_ROOM, null, [])).toBe("start");
  expect(waitingFor(begun, null, [])).toBeNull(); // the camera is off
  expect(waitingFor(begun, teacher, receiving(null))).toBeNull();
  expect(waitingFor(away, teacher, receiving(null))).toBeNull(); // only the room is lost: the picture goes on
  expect(waitingFor(away, teacher, receiving(null, 0))).toBe("teacher");
  expect(waitingFor(gone, null, [])).toBe("teacher");
});

test("a page stays in sight while the teacher is away for a moment, and not when nobody teaches any more", () => {
  const page: Picture = { ...teacher, mid: "", publication_id: "board/1", source: "whiteboard" };
  expect(waitingFor(away, page, receiving(null, 0))).toBeNull();
  expect(waitingFor(gone, null, [])).toBe("teacher"); // without a teacher there is no page (pictures.ts)
});

test("a class that speaks hears its teacher as before, and everybody else from afar", () => {
  const room = reduce(begun, lessonEvent(3, "joined", { participant_id: "c", role: "receiving_class", name: "", headcount: 40, class_id: null }));
  const slot = (participant_id: string | null): Slot => ({ mid: "0", kind: "audio", publication_id: "p", participant_id, source: "microphone" });
  expect([slot("t"), slot("c"), slot(null)].map((one) => gainOf(one, room, true))).toEqual([1, 0.25, 1]);
  expect(gainOf(slot("c"), room, false)).toBe(1);
});
