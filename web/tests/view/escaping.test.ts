import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SRC = join(__dirname, "../../src");
const MAKES_ELEMENTS = /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\(|new Function\(/;

test("what a person wrote becomes text on every page and never an element", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => /\.(vue|ts)$/.test(file));
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => MAKES_ELEMENTS.test(readFileSync(join(SRC, file), "utf8")))).toEqual([]);
});
