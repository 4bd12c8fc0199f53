import { expect, test } from "vitest";
import type { OwnTransport } from "../../src/protocol/messages";
import { isThin, pagesToFetch } from "../../src/room/page_order";
import { NO_SURFACES, type Surfaces } from "../../src/room/surfaces";

const set = (slides_id: string, pages: number) => ({ slides_id, title: "", pages, width: 1600, height: 900 });
const at = (slidePage: string | null): Surfaces => ({ ...NO_SURFACES, slides: [set("grassland", 3), set("exercises", 2)], slidePage });

test("the page shown comes first, small before large, and then the next one", () => {
  const fetched = pagesToFetch(at("grassland/2"), true, false);
  expect(fetched).toEqual(["grassland/2.small.webp", "grassland/2.webp", "grassland/3.small.webp", "grassland/3.webp"]);
});

test("after the last page of a set nothing is fetched ahead", () => {
  expect(pagesToFetch(at("grassland/3"), true, false)).toEqual(["grassland/3.small.webp", "grassland/3.webp"]);
});

test("before the first slide is shown its picture is there, and so is the last one while something else is shown", () => {
  expect(pagesToFetch(at(null), false, false)).toEqual(["grassland/1.small.webp", "grassland/1.webp"]);
  expect(pagesToFetch(at("exercises/1"), false, false)).toEqual(["exercises/1.small.webp", "exercises/1.webp"]);
  expect(pagesToFetch(NO_SURFACES, false, false)).toEqual([]);
});

test("on a thin line only what is on the screen comes large", () => {
  expect(pagesToFetch(at("grassland/1"), true, true)).toEqual(["grassland/1.small.webp", "grassland/1.webp", "grassland/2.small.webp"]);
  expect(pagesToFetch(at(null), false, true)).toEqual(["grassland/1.small.webp"]);
  expect(pagesToFetch(NO_SURFACES, false, true)).toEqual([]);
});

const receiving = (estimate: number | null) => [{ direction: "receive", estimate, slots: [], publications: [] }] as unknown as OwnTransport[];

test.each([
  ["good", false, null, false],
  ["good", false, 2_000_000, false],
  ["good", false, 700_000, true],
  ["poor", false, 2_000_000, true],
  ["lost", false, null, true],
  ["good", true, null, true], // the picture by HTTP takes the same line
] as const)("a line called %s, by HTTP: %s, thought to carry %s bit/s, is thin: %s", (word, byHttp, estimate, thin) => {
  expect(isThin(word, byHttp, receiving(estimate))).toBe(thin);
});
