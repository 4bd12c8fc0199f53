import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Receiving } from "../../src/media/receiving";
import { Sending } from "../../src/media/sending";
import { RequestError } from "../../src/protocol/connection";
import { surroundings, track } from "../support/fake_peer";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("RTCRtpSender", { getCapabilities: () => ({ codecs: [] }) });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const settle = () => vi.advanceTimersByTimeAsync(0);

async function receiving() {
  const around = surroundings();
  const side = new Receiving(around.options);
  side.connected([], false);
  side.want({ audio: 3, video: 4 });
  await settle();
  return { side, ...around };
}

describe("receiving", () => {
  test("offers its slots, audio first, and waits patiently for what is late", async () => {
    const { newest, offers } = await receiving();
    expect(newest().transceivers.map((one) => one.receiver.track.kind).join(" ")).toBe("audio audio audio video video video video");
    expect(newest().transceivers.every((one) => one.direction === "recvonly")).toBe(true);
    expect(newest().transceivers[0]?.receiver.jitterBufferTarget).toBe(400);
    expect(offers).toMatchObject([{ direction: "receive", generation: 1, sdp: "offer of 7 sections" }]);
  });

  test("each peer connection may use the relays of the last welcome, whose credentials are the freshest", async () => {
    const { side, newest } = await receiving();
    expect(newest().configuration.iceServers).toEqual([]);
    const relays = [{ urls: ["turn:turn.example"], username: "43200:c-1", credential: "p" }];
    side.connected(relays, true);
    side.lost();
    await settle();
    expect(newest().configuration.iceServers).toEqual(relays);
  });

  test("on the floor it waits as little as it can", async () => {
    const { side, newest } = await receiving();
    side.setPatience(0);
    expect(newest().transceivers.map((one) => one.receiver.jitterBufferTarget)).toEqual(Array(7).fill(null));
  });

  test("lost media are replaced by the next generation", async () => {
    const { side, peers, offers, newest } = await receiving();
    newest().become("connected");
    expect(side.state).toBe("flowing");
    side.lost();
    expect(side.state).toBe("recovering");
    await settle();
    expect(peers[0]?.connectionState).toBe("closed");
    expect(offers.map((one) => one.generation)).toEqual([1, 2]);
    newest().become("connected");
    expect(side.state).toBe("flowing");
  });

  test("a transport that hangs for two seconds looks for another way, one that comes back is kept", async () => {
    const { side, offers, newest, peers } = await receiving();
    newest().become("connected");
    newest().become("disconnected");
    await vi.advanceTimersByTimeAsync(1_500);
    newest().become("connected");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(offers).toHaveLength(1);
    newest().become("disconnected");
    await vi.advanceTimersByTimeAsync(2_001);
    expect(offers.map((one) => one.generation)).toEqual([1, 1]);
    expect(newest().restarts).toBe(1);
    expect(side.state).toBe("recovering");
    newest().become("connected");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(side.state).toBe("flowing");
    expect(peers).toHaveLength(1);
  });

  test("a transport that finds no other way within four seconds is replaced", async () => {
    const { offers, newest, peers } = await receiving();
    newest().become("connected");
    newest().become("disconnected");
    await vi.advanceTimersByTimeAsync(2_001 + 3_900);
    expect(offers.map((one) => one.generation)).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(200);
    expect(offers.map((one) => one.generation)).toEqual([1, 1, 2]);
    expect(peers[0]?.connectionState).toBe("closed");
    newest().become("connected");
    newest().become("failed"); // the next time it may look for another way again
    await settle();
    expect(offers.map((one) => one.generation)).toEqual([1, 1, 2, 2]);
  });

  test("one that was never connected has no way to mend: it is replaced", async () => {
    const { offers, newest } = await receiving();
    newest().become("failed");
    await settle();
    expect(offers.map((one) => one.generation)).toEqual([1, 2]);
  });

  test("a transport that never connects is tried again, less and less often, and counted", async () => {
    const { side, offers } = await receiving();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(side.failures).toBeGreaterThanOrEqual(3);
    expect(offers.length).toBeGreaterThan(3);
    expect(offers.length).toBeLessThan(9);
  });

  test("on another network it looks for another way at once, while the old one goes on", async () => {
    const { side, offers, newest } = await receiving();
    newest().become("connected");
    side.moved();
    await settle();
    expect(offers.map((one) => one.generation)).toEqual([1, 1]);
    expect(newest().restarts).toBe(1);
    expect(side.state).toBe("flowing");
    newest().become("disconnected"); // the old way was dead, and the browser has only now found out
    await vi.advanceTimersByTimeAsync(2_001);
    expect(offers.map((one) => one.generation)).toEqual([1, 1, 1]);
  });

  test("without a WebSocket nothing is offered; when it is back, what is healthy stays", async () => {
    const { side, offers, newest } = await receiving();
    newest().become("connected");
    side.disconnected();
    side.connected([], true);
    await settle();
    expect(offers).toHaveLength(1);
    side.disconnected();
    newest().become("failed");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(offers).toHaveLength(1);
    side.connected([], true);
    await settle();
    expect(offers.map((one) => one.generation)).toEqual([1, 1]);
  });

  test("a search for another way that the WebSocket did not live to see is begun again with the next", async () => {
    const { side, offers, newest, refuse } = await receiving();
    newest().become("connected");
    refuse.with = new RequestError("connection_lost");
    newest().become("failed");
    await settle();
    side.disconnected();
    refuse.with = null;
    side.connected([], true);
    await settle();
    expect(offers.map((one) => one.generation)).toEqual([1, 1, 1]);
  });

  test("a session the server has forgotten starts anew", async () => {
    const { side, offers, newest } = await receiving();
    newest().become("connected");
    side.disconnected();
    side.connected([], false);
    await settle();
    expect(offers.map((one) => one.generation)).toEqual([1, 2]);
  });

  test("a server without workers is asked again, a refused offer is not", async () => {
    const around = surroundings();
    const side = new Receiving(around.options);
    around.refuse.with = new RequestError("media_unavailable");
    side.connected([], false);
    side.want({ audio: 1, video: 1 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(around.offers.length).toBeGreaterThan(1);
    around.refuse.with = new RequestError("no_common_codec");
    await vi.advanceTimersByTimeAsync(10_000);
    const tries = around.offers.length;
    expect(side).toMatchObject({ state: "refused", refusal: "no_common_codec" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(around.offers).toHaveLength(tries);
  });
});

describe("sending", () => {
  async function sending() {
    const around = surroundings();
    const side = new Sending(around.options);
    side.connected([], false);
    return { side, ...around };
  }

  test("what is published in one go is offered in one go", async () => {
    const { side, offers, newest } = await sending();
    await settle();
    expect(offers).toHaveLength(0);
    side.publish("camera", track("video"));
    side.publish("microphone", track("audio"));
    await settle();
    expect(offers).toHaveLength(1);
    expect(offers[0]?.tracks).toEqual([
      { mid: "0", source: "microphone" },
      { mid: "1", source: "camera" },
    ]);
    expect(newest().transceivers.map((one) => one.encodings[0]?.maxBitrate)).toEqual([64_000, 1_500_000]);
    expect(newest().transceivers[1]?.encodings.map((one) => one.rid)).toEqual(["h", "m", "l"]);
    expect(side.publications.get("camera")).toBe("p-1");
  });

  test("a screen keeps its letters sharp", async () => {
    const { side } = await sending();
    const screen = track("video");
    side.publish("screen", screen);
    await settle();
    expect(screen.contentHint).toBe("detail");
  });

  const sent = (peer: ReturnType<typeof surroundings>["newest"]) =>
    peer().transceivers[0]?.encodings.filter((one) => one.active !== false).map((one) => one.rid).join("");

  test("layers nobody needs are not sent, and come back when somebody does", async () => {
    const { side, newest, offers } = await sending();
    side.publish("camera", track("video"));
    await settle();
    expect(sent(newest)).toBe("hml");
    side.activate("p-0", ["l"]);
    await settle();
    expect(sent(newest)).toBe("l");
    for (const rids of [["h", "l"], [], ["m"], ["h", "m"]]) side.activate("p-0", rids);
    await settle();
    expect(sent(newest)).toBe("hm");
    expect(offers).toHaveLength(1);
  });

  test("of a camera that is only shown small the smallest layer is sent, from the first offer on", async () => {
    const { side, newest } = await sending();
    side.setModest(true);
    side.publish("camera", track("video"));
    await settle();
    expect(sent(newest)).toBe("l");
    side.activate("p-0", ["h"]);
    await settle();
    expect(sent(newest)).toBe("l");
    side.activate("p-0", []);
    await settle();
    expect(sent(newest)).toBe(""); // nobody looks
    side.activate("p-0", ["h", "l"]);
    side.setModest(false);
    await settle();
    expect(sent(newest)).toBe("hl");
  });

  test("layers named before the answer that names the publication are heard all the same", async () => {
    const { side, newest } = await sending();
    side.publish("camera", track("video"));
    await Promise.resolve();
    side.activate("p-0", ["m"]);
    await settle();
    expect(sent(newest)).toBe("m");
  });

  test("another peer connection begins with all its layers", async () => {
    const { side, newest } = await sending();
    side.publish("camera", track("video"));
    await settle();
    side.activate("p-0", []);
    await settle();
    newest().become("connected");
    side.lost();
    await settle();
    expect(sent(newest)).toBe("hml");
  });

  test("another camera takes the place of the first without negotiation", async () => {
    const { side, offers, newest } = await sending();
    side.publish("camera", track("video"));
    await settle();
    const other = track("video");
    side.publish("camera", other);
    await settle();
    expect(offers).toHaveLength(1);
    expect(newest().transceivers[0]?.sender.track).toBe(other);
  });

  test("what is withdrawn is offered inactive, and comes back in the same section", async () => {
    const { side, offers, newest } = await sending();
    side.publish("microphone", track("audio"));
    side.publish("screen", track("video"));
    await settle();
    side.withdraw("screen");
    await settle();
    expect(newest().transceivers.map((one) => one.direction)).toEqual(["sendonly", "inactive"]);
    side.publish("screen", track("video"));
    await settle();
    expect(newest().transceivers.map((one) => one.direction)).toEqual(["sendonly", "sendonly"]);
    expect(offers.map((one) => one.generation)).toEqual([1, 1, 1]);
  });

  test("a new generation carries only what is sent now", async () => {
    const { side, offers, newest } = await sending();
    side.publish("microphone", track("audio"));
    side.publish("camera", track("video"));
    await settle();
    newest().become("connected");
    side.withdraw("camera");
    side.lost();
    await settle();
    expect(offers[offers.length - 1]).toMatchObject({ generation: 2, tracks: [{ mid: "0", source: "microphone" }] });
  });

  test("giving the floor back closes the connection; the next floor opens a new one", async () => {
    const { side, offers, newest, peers } = await sending();
    side.publish("microphone", track("audio"));
    await settle();
    newest().become("connected");
    side.withdrawAll();
    expect(side.state).toBe("idle");
    expect(peers[0]?.connectionState).toBe("closed");
    side.publish("microphone", track("audio"));
    await settle();
    expect(offers.map((one) => one.generation)).toEqual([1, 2]);
  });
});
