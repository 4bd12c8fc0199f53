/** The order of the usual stages. */

import { expect, test } from "vitest";
import { nextStage } from "../../src/view/stages";

const begun = (...names: string[]) => names.map((name, index) => ({ seq: index + 1, at_ms: index, name }));

test.each([
  [[], "intro"],
  [["intro"], "new_content"],
  [["intro", "讨论"], "new_content"],
  [["practice"], "summary"],
  [["summary", "intro"], "new_content"],
  [["intro", "summary"], null],
])("after %j comes %s", (names, next) => {
  expect(nextStage(begun(...names))).toBe(next);
});
