import { expect, test } from "vitest";
import { ApiError } from "../../src/protocol/http";
import { classCode, clockTime, dateTime, fromLocal, grouped, lastDay, size, toLocal } from "../../src/view/format";
import { problemFrom, problemOf } from "../../src/view/words";

test("times are read aloud as on a clock", () => {
  expect([0, 61_999, 1_421_000, 3_909_000, -5].map(clockTime)).toEqual(["0:00", "1:01", "23:41", "1:05:09", "0:00"]);
});

test("files are as large as file managers say", () => {
  expect([0, 512_400, 48_400_000, 1_240_000_000].map(size)).toEqual(["1 kB", "512 kB", "48 MB", "1.2 GB"]);
});

test("dates carry the weekday", () => {
  const iso = new Date(2026, 10, 23, 10, 10).toISOString();
  expect(dateTime(iso, "zh-CN")).toBe("2026年11月23日(周一) 10:10");
  expect(dateTime(iso, "en")).toMatch(/^Mon,? 23 Nov 2026, 10:10$/);
  expect(dateTime("never", "en")).toBe("");
});

test("a field for a time gives back the moment it was filled with", () => {
  expect(fromLocal(toLocal("2026-11-25T02:10:00.000Z"))).toBe("2026-11-25T02:10:00.000Z");
  expect([toLocal(null), toLocal("never"), fromLocal("")]).toEqual(["", "", null]);
});

test("a term that ends at midnight in China has the day before as its last", () => {
  expect(lastDay("2027-01-31T16:00:00Z", "zh-CN")).toBe("2027年1月31日");
  expect(lastDay("2027-08-31T16:00:00Z", "en")).toBe("31 August 2027");
});

test("a code is six digits, a class's own eight, however it was typed", () => {
  expect(classCode(" 123 456 ")).toBe("123456");
  expect(classCode("１２３-４５６")).toBe("123456");
  expect(classCode("本班的码 1234 5678 9")).toBe("12345678");
  expect(grouped("123456")).toBe("123\u2009456");
});

test("every error has a sentence, an unknown one the general sentence with its code", () => {
  expect(problemOf("floor_full").key).toBe("problem.floor_full");
  expect(problemOf("login_required").key).toBe("problem.not_signed_in");
  expect(problemOf("never_heard_of").key).toBe("problem.unknown");
  expect(problemOf("toString").key).toBe("problem.unknown");
  expect(problemFrom(new ApiError("too_many_tries", 429, 17))).toEqual({
    code: "too_many_tries",
    key: "problem.too_many_tries",
    seconds: 17,
  });
});
