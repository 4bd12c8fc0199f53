import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TESTIDS } from "../../src/view/testids";

const VIEW = join(__dirname, "../../src/view");
const pages = ["components/", "pages/", ""]
  .flatMap((folder) => readdirSync(join(VIEW, folder)).map((file) => folder + file))
  .filter((file) => /\.(vue|ts)$/.test(file) && file !== "testids.ts")
  .map((file) => readFileSync(join(VIEW, file), "utf8"))
  .join("\n");

test.each(TESTIDS)("%s stands on a page", (id) => {
  const name = id.replace("<id>", "${");
  expect(pages.includes(`"${name}"`) || pages.includes(`'${name}'`) || pages.includes(`\`${name}`)).toBe(true);
});

test("no page has a name that the list does not know", () => {
  const used = [...pages.matchAll(/(?<!:)data-testid="([^"]+)"/g)].map((match) => match[1]);
  expect(used.filter((id) => !(TESTIDS as readonly (string | undefined)[]).includes(id))).toEqual([]);
});
