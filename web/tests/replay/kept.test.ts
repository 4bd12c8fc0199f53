import { expect, test } from "vitest";
import { keepPlace, keptPlace, type Store } from "../../src/replay/kept";

function store(content: string | null = null): Store & { content: string | null } {
  return {
    content,
    getItem() {
      return this.content;
    },
    setItem(_, value) {
      this.content = value;
    },
  };
}

test("a lesson goes on where it was left, but not from its first or last seconds", () => {
  const own = store();
  keepPlace(own, "a", 60_000.4);
  keepPlace(own, "b", 9_000);
  expect([keptPlace(own, "a", 100_000), keptPlace(own, "b", 100_000), keptPlace(own, "c", 100_000)]).toEqual([60_000, null, null]);
  expect(keptPlace(own, "a", 65_000)).toBeNull();
});

test("what was not watched for longest is forgotten", () => {
  const own = store();
  for (let lesson = 0; lesson < 60; lesson += 1) {
    keepPlace(own, `${lesson}`, 60_000);
    keepPlace(own, "0", 50_000);
  }
  expect(keptPlace(own, "0", 1e6)).toBe(50_000);
  expect([keptPlace(own, "1", 1e6), keptPlace(own, "59", 1e6)]).toEqual([null, 60_000]);
});

test.each(["no json", "{}", '[["a"], 3, ["a", "b"]]'])("a store that holds %s is as good as empty", (content) => {
  expect(keptPlace(store(content), "a", 1e6)).toBeNull();
});

test("a store that is full does not disturb", () => {
  const full: Store = {
    getItem: () => null,
    setItem: () => {
      throw new Error("full");
    },
  };
  expect(() => keepPlace(full, "a", 1)).not.toThrow();
});
