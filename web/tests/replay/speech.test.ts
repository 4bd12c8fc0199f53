import { expect, test } from "vitest";
import { DecodeError } from "../../src/protocol/decode";
import { lanesOf, voicesOf } from "../../src/replay/speech";

const FILE = {
  version: 1,
  settings: {},
  speech: [
    { publication_id: "a", participant: "t", role: "lead_teacher", spans: [[5_000, 6_000], [0, 2_000], [2_300, 3_000]] },
    { publication_id: "b", participant: "k", role: "co_teacher", spans: [[1_500, 2_600]] },
    { publication_id: "c", participant: "c", role: "receiving_class", spans: [[8_000, 9_000]] },
  ],
  seconds: "TTTQQTQQSQ",
};

test("teachers and classes have a lane each, without pauses nobody could see", () => {
  expect(lanesOf(voicesOf(FILE), 500)).toEqual({
    teacher: [{ from: 0, to: 3_000 }, { from: 5_000, to: 6_000 }],
    classes: [{ from: 8_000, to: 9_000 }],
  });
});

test("a file that says nothing about speech is refused", () => expect(() => voicesOf({ version: 1 })).toThrow(DecodeError));
