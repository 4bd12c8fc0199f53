import { describe, expect, test } from "vitest";
import { arrange, keyOf, opening, views } from "../../src/replay/views";
import { track } from "../support/track";

const camera = track("cam", "camera", 1_200, 30_000, { gaps: [[10_000, 12_000]] });
const later = track("cam-2", "camera", 31_000, 30_000);
const screen = track("screen", "screen", 5_000, 20_000);
const guest = track("guest", "camera", 15_000, 5_000, { lead: false, participant: "c" });
const second = track("second", "camera", 0, 60_000, { lead: false, participant: "co" });
const sound = track("mic", "microphone", 0, 60_000);
const all = [sound, camera, later, screen, guest];
const shown = (at: number, floors: Parameters<typeof views>[2] = null, tracks = all) =>
  views(tracks, at, floors).map((one) => [one.place, one.track?.publication_id]);

describe("views", () => {
  test("are the screen, the teacher and the class that speaks, in this order", () => {
    expect(shown(16_000)).toEqual([["screen", "screen"], ["camera", "cam"], ["guest", "guest"]]);
    expect(shown(11_000)).toEqual([["screen", "screen"]]);
    expect(shown(500)).toEqual([]);
  });

  test("show the newer camera after a reconnect", () => expect(shown(31_100)).toEqual([["camera", "cam-2"]]));

  test("show a class from the moment it has the floor until it is taken back", () => {
    const floors = [{ participant_id: "c", from: 16_000, to: 18_000 }];
    const guests = [15_500, 16_000, 17_999, 18_000].map((at) => shown(at, floors).filter(([place]) => place === "guest").length);
    expect(guests).toEqual([0, 1, 1, 0]);
  });

  test("show a second teacher, who needs no floor", () => {
    expect(shown(16_000, [{ participant_id: "c", from: 0, to: 100 }], [...all, second])).toContainEqual(["guest", "second"]);
  });

  test("begin with the page that everybody saw", () => {
    expect(views(all, 16_000, null, true).map(keyOf)).toEqual(["content", "screen", "camera", "guest c"]);
    expect(views([], 16_000, null, true)).toEqual([{ place: "content", track: null }]); // without pictures too
  });

  test("are four at most", () => {
    const many = ["d", "e", "f"].map((who) => track(who, "camera", 0, 60_000, { lead: false, participant: who }));
    expect(shown(16_000, null, [...all, ...many])).toHaveLength(4);
    expect(views([...all, ...many], 16_000, null, true)).toHaveLength(4);
  });
});

test("a recording opens at its first picture, unless that comes much later", () => {
  expect([opening(all, 0), opening([sound, screen], 0), opening([sound], 0), opening([], 0)]).toEqual([1_200, 0, 0, 0]);
});

describe("an arrangement", () => {
  const three = views(all, 16_000, null);
  const places = (one: ReturnType<typeof arrange>) => [one.main, ...one.small].map((view) => view && keyOf(view));

  test("has large what comes first, or what was chosen", () => {
    expect(places(arrange(three, "side", null))).toEqual(["screen", "camera", "guest c"]);
    expect(places(arrange(three, "inset", "guest c"))).toEqual(["guest c", "screen", "camera"]);
  });

  test("keeps a choice over a reconnect, and while it is away", () => {
    expect(arrange(views(all, 31_100, null), "side", "camera").main?.track).toBe(later);
    expect(arrange(views(all, 11_000, null), "side", "camera").main?.place).toBe("screen");
  });

  test("of one picture names what need not be loaded", () => {
    const { main, small, hidden } = arrange(three, "single", "camera");
    expect([main?.place, small.length, hidden.map(keyOf)]).toEqual(["camera", 0, ["screen", "guest c"]]);
  });

  test("of nothing is empty", () => expect(arrange([], "side", null)).toEqual({ main: null, small: [], hidden: [] }));
});
