import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PagePictures } from "../../src/presence/page_pictures";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A line on which each request waits for the test to answer it. */
function line() {
  const asked = new Map<string, { arrive: () => void; fail: (error?: Error) => void }>();
  const closed: string[] = [];
  const lost: unknown[] = [];
  const pages = new PagePictures({
    get: (name, signal) =>
      new Promise((resolve, reject) => {
        const answer = (act: () => void) => () => (asked.delete(name), act());
        asked.set(name, { arrive: answer(() => resolve(name as unknown as Blob)), fail: answer(() => reject(new Error("lost"))) });
        signal.addEventListener("abort", answer(() => reject(new Error("aborted"))));
      }),
    open: async (picture) => ({ address: `blob:${String(picture)}`, aspect: 16 / 9 }),
    close: ({ address }) => void closed.push(address),
    changed: () => undefined,
    lost: (error) => void lost.push(error),
  });
  const under = () => [...asked.keys()];
  const settle = async () => void (await vi.advanceTimersByTimeAsync(0));
  const arrive = async (name: string) => (asked.get(name)?.arrive(), settle());
  const fail = async (name: string) => (asked.get(name)?.fail(), settle());
  return { pages, under, arrive, fail, settle, closed, lost };
}

test("pictures come one after the other, in the order they are wanted", async () => {
  const { pages, under, arrive } = line();
  pages.want(["a", "b", "c"], 1);
  expect(under()).toEqual(["a"]);
  await arrive("a");
  expect(pages.picture("a")?.address).toBe("blob:a");
  expect(under()).toEqual(["b"]);
});

test("on a good line as many come at once as are allowed", () => {
  const { pages, under } = line();
  pages.want(["a", "b", "c"], 2);
  expect(under()).toEqual(["a", "b"]);
});

test("a page that is turned to does not wait for the one before it, and none is fetched twice", async () => {
  const { pages, under, arrive, settle } = line();
  pages.want(["a", "b"], 1);
  await arrive("a");
  expect(under()).toEqual(["b"]);
  pages.want(["c", "b"], 1);
  await settle();
  expect(under()).toEqual(["c"]);
  pages.want(["a", "c", "d"], 1);
  await settle();
  expect(under()).toEqual(["c"]); // it goes on; a is here
});

test("a picture that is lost is tried again for as long as it is wanted, later each time, while the next one comes", async () => {
  const { pages, under, fail, arrive, lost } = line();
  pages.want(["a", "b"], 1);
  await fail("a");
  expect(under()).toEqual(["b"]);
  await arrive("b");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(under()).toEqual(["a"]);
  await fail("a");
  expect(lost).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(700);
  expect(under()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(under()).toEqual(["a"]);
  await fail("a");
  pages.want([], 1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(under()).toEqual([]);
});

test("when the network is back nobody waits out the time of the next attempt", async () => {
  const { pages, under, fail } = line();
  pages.want(["a"], 1);
  await fail("a");
  expect(under()).toEqual([]);
  pages.nudge();
  expect(under()).toEqual(["a"]);
});

test("pages that were seen are kept for going back, but not all of a long lesson, and none after it", async () => {
  const { pages, arrive, closed } = line();
  for (let page = 1; page <= 40; page += 1) {
    pages.want([`${page}`], 1);
    await arrive(`${page}`);
  }
  expect(pages.picture("39")).not.toBeNull();
  expect(pages.picture("1")).toBeNull();
  expect(closed).toHaveLength(16);
  pages.close();
  expect(closed).toHaveLength(40);
});

test("a picture that comes after the page was left is let go", async () => {
  const { pages, settle, closed, under } = line();
  pages.want(["a"], 1);
  pages.close();
  await settle();
  expect(under()).toEqual([]);
  expect(closed).toEqual([]);
});
