// @vitest-environment jsdom
import { mount } from "@vue/test-utils";
import { beforeEach, expect, test, vi } from "vitest";
import { ref } from "vue";
import DrawingLayer from "../../src/view/components/DrawingLayer.vue";
import type { DrawingInUse, Instrument } from "../../src/view/use_drawing";

beforeEach(() => {
  HTMLElement.prototype.getBoundingClientRect = () => ({ left: 100, top: 50, width: 800, height: 450 }) as DOMRect;
  HTMLCanvasElement.prototype.getContext = () => null; // jsdom draws nothing
});

function layer(held: Instrument | null) {
  const drawing = { instrument: ref(held), lines: () => [], begin: vi.fn(), move: vi.fn(), end: vi.fn(), rub: vi.fn() };
  const shown = mount(DrawingLayer, { props: { drawing: drawing as unknown as DrawingInUse, surface: "board/1" } });
  /** jsdom knows no pointers: what they have more than a mouse is put on its events. */
  function point(type: string, clientX: number, clientY: number, more: { pointerType?: string; buttons?: number; button?: number; at?: number; steps?: [number, number][] } = {}) {
    const event = new MouseEvent(type, { clientX, clientY, bubbles: true, button: more.button ?? 0, buttons: more.buttons ?? 1 });
    const coalesced = (more.steps ?? []).map(([x, y]) => new MouseEvent(type, { clientX: x, clientY: y }));
    for (const [name, value] of Object.entries({ pointerId: 7, pointerType: more.pointerType ?? "mouse", timeStamp: more.at ?? 0, getCoalescedEvents: () => coalesced })) {
      Object.defineProperty(event, name, { value });
    }
    shown.get("[data-testid=drawing-layer]").element.dispatchEvent(event);
  }
  return { drawing, point };
}

test("a hand draws where it is on the page, with all it did between two frames, and never beyond the edge", () => {
  const { drawing, point } = layer("pen");
  point("pointerdown", 500, 275);
  expect(drawing.begin).toHaveBeenCalledWith(7, "board/1", "pen", 5000, 5000);
  point("pointermove", 900, 500, { steps: [[580, 275], [2000, 5000]] });
  expect(drawing.move).toHaveBeenCalledWith(7, [6000, 5000, 10_000, 10_000]);
  point("pointerup", 900, 500);
  expect(drawing.end).toHaveBeenCalledWith(7);
  point("pointermove", 500, 275);
  expect(drawing.move).toHaveBeenCalledOnce();
});

test("without an instrument, and with another button, nothing is drawn", () => {
  const empty = layer(null);
  empty.point("pointerdown", 500, 275);
  const held = layer("pen");
  held.point("pointerdown", 500, 275, { button: 2, buttons: 2 });
  expect(empty.drawing.begin.mock.calls.length + held.drawing.begin.mock.calls.length).toBe(0);
});

test("the palm of a hand that holds a pen draws nothing, and a finger does again when the pen is away", () => {
  const { drawing, point } = layer("pen");
  point("pointermove", 400, 275, { pointerType: "pen", at: 1_000 }); // hovers
  point("pointerdown", 500, 275, { pointerType: "touch", at: 1_500 });
  expect(drawing.begin).not.toHaveBeenCalled();
  point("pointerdown", 500, 275, { pointerType: "touch", at: 4_000 });
  expect(drawing.begin).toHaveBeenCalledOnce();
});

test("the other end of a pen rubs out, whatever was chosen", () => {
  const { drawing, point } = layer("pen");
  point("pointerdown", 500, 275, { pointerType: "pen", button: 5, buttons: 32 });
  point("pointermove", 580, 275, { pointerType: "pen", buttons: 32 });
  expect(drawing.rub.mock.calls).toEqual([
    ["board/1", [5000, 5000], 800 / 450, false],
    ["board/1", [6000, 5000], 800 / 450, true],
  ]);
  expect(drawing.begin).not.toHaveBeenCalled();
});
