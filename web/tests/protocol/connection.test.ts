import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RequestError } from "../../src/protocol/connection";
import { connect, event, welcome } from "../support/fake_socket";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function opened(options: Parameters<typeof connect>[0] = {}) {
  const all = await connect(options);
  all.newest().open();
  all.newest().say(welcome());
  return all;
}

describe("opening", () => {
  test("the hello is the first word, without resume the first time", async () => {
    const { newest } = await connect();
    newest().open();
    expect(newest().sent[0]).toEqual({ type: "hello", token: "token" });
  });

  test("a socket that does not lead to a welcome is given up and tried again", async () => {
    const { sockets, newest } = await connect();
    newest().open();
    await vi.advanceTimersByTimeAsync(8_000);
    expect(sockets[0]?.closed).toBe(4000);
    await vi.advanceTimersByTimeAsync(300);
    expect(sockets).toHaveLength(2);
  });
});

describe("a lost socket", () => {
  test("is followed by one that resumes from the last event seen", async () => {
    const { newest, sockets } = await opened();
    newest().say(event(11));
    newest().say(event(12));
    newest().drop(1006);
    await vi.advanceTimersByTimeAsync(300);
    expect(sockets).toHaveLength(2);
    newest().open();
    expect(newest().sent[0]).toEqual({ type: "hello", token: "token", resume: { session: "session-1", seq: 12 } });
  });

  test("is tried again ever more slowly, and quickly again after a success", async () => {
    const { newest, sockets } = await opened();
    const waits: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      newest().drop(1006);
      const count = sockets.length;
      const before = Date.now();
      while (sockets.length === count) await vi.advanceTimersByTimeAsync(50);
      waits.push(Date.now() - before);
    }
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    newest().open();
    newest().say(welcome({ resumed: true, snapshot: null }));
    newest().drop(1006);
    await vi.advanceTimersByTimeAsync(250);
    expect(sockets).toHaveLength(9);
  });

  test("fails what was asked on it", async () => {
    const { connection, newest } = await opened();
    const answer = connection.request({ type: "offer", direction: "receive", sdp: "", generation: 1 });
    newest().drop(1006);
    await expect(answer).rejects.toEqual(new RequestError("connection_lost"));
  });

  test("is noticed by its silence", async () => {
    const { sockets, listener } = await opened();
    await vi.advanceTimersByTimeAsync(12_300);
    expect(listener.phase).toHaveBeenCalledWith("waiting");
    expect(sockets).toHaveLength(2);
  });

  test("comes back at once when the network does", async () => {
    const { connection, newest, sockets } = await opened();
    for (let turn = 0; turn < 5; turn += 1) {
      newest().drop(1006);
      if (turn < 4) await vi.advanceTimersByTimeAsync(5_000);
    }
    const count = sockets.length;
    connection.nudge();
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets).toHaveLength(count + 1);
  });
});

describe("events", () => {
  test("that were seen before are not told twice", async () => {
    const { listener, newest } = await opened();
    newest().say(event(11));
    newest().say(event(11));
    newest().say(event(9));
    expect(listener.message).toHaveBeenCalledTimes(1);
  });

  test("with a hole between them lead to a resume from before the hole", async () => {
    const { connection, listener, newest } = await opened();
    newest().say(event(13));
    expect(listener.message).not.toHaveBeenCalled();
    expect(connection.phase).toBe("waiting");
    await vi.advanceTimersByTimeAsync(300);
    newest().open();
    expect(newest().sent[0]).toMatchObject({ resume: { seq: 10 } });
  });

  test("with a hole that is for others go on, if nothing of ours is missing", async () => {
    const { connection, listener, newest } = await opened();
    newest().say({ ...event(13), prev: 10 });
    newest().say({ ...event(20), prev: 13 });
    expect(listener.message).toHaveBeenCalledTimes(2);
    newest().say({ ...event(30), prev: 25 });
    expect(connection.phase).toBe("waiting");
  });

  test("after a snapshot count from the snapshot", async () => {
    const { listener, newest } = await opened();
    newest().drop(1006);
    await vi.advanceTimersByTimeAsync(300);
    newest().open();
    newest().say(welcome({ seq: 40 }));
    newest().say(event(41));
    expect(listener.message).toHaveBeenCalledTimes(1);
  });
});

describe("the end", () => {
  test.each([
    [4404, "lesson_unknown"],
    [4409, "replaced"],
    [4410, "lesson_ended"],
    [4403, "room_full"],
  ])("close code %d is final and told as %s", async (close, code) => {
    const { listener, newest, sockets } = await opened();
    newest().drop(close);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(listener.closed).toHaveBeenCalledWith(code);
    expect(sockets).toHaveLength(1);
  });

  test("an expired token is exchanged once, and told when that does not help", async () => {
    const hello = vi.fn(async () => ({ type: "hello" as const, token: "token" }));
    const { listener, newest } = await opened({ hello });
    for (let turn = 0; turn < 2; turn += 1) {
      newest().say({ type: "error", code: "token_expired", message: "" });
      newest().drop(4401);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(hello.mock.calls).toEqual([[false], [true]]);
    expect(listener.closed).toHaveBeenCalledWith("token_expired");
  });

  test("no token to be had is final when the server says so, and worth a retry when it is only away", async () => {
    let tries = 0;
    const { listener, sockets } = await connect({
      hello: async () => {
        tries += 1;
        throw tries < 3 ? new TypeError("network") : new RequestError("class_code_unknown");
      },
    });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(tries).toBe(3);
    expect(sockets).toHaveLength(0);
    expect(listener.closed).toHaveBeenCalledWith("class_code_unknown");
  });

  test("going away says leave and stays away", async () => {
    const { connection, newest, sockets } = await opened();
    const socket = newest();
    connection.close();
    expect(socket.last("leave")).toBeDefined();
    expect(socket.closed).toBe(1000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(1);
  });
});

describe("asking", () => {
  test("an answer finds its question, an error refuses it", async () => {
    const { connection, newest } = await opened();
    const offer = { type: "offer", direction: "receive", sdp: "v=0", generation: 1 } as const;
    const good = connection.request(offer);
    const bad = connection.request(offer);
    const [first, second] = newest().sent.filter((one) => one.type === "offer");
    newest().say({ type: "error", re: second?.id, code: "sdp_malformed", message: "" });
    newest().say({ type: "answer", re: first?.id, direction: "receive", generation: 1, sdp: "answer" });
    await expect(good).resolves.toMatchObject({ sdp: "answer", publications: [] });
    await expect(bad).rejects.toEqual(new RequestError("sdp_malformed"));
  });

  test("an answer that does not come is a timeout", async () => {
    const { connection, newest } = await opened();
    const answer = connection.request({ type: "offer", direction: "send", sdp: "", generation: 1 });
    const refused = expect(answer).rejects.toEqual(new RequestError("timeout"));
    for (let turn = 0; turn < 9; turn += 1) {
      newest().say({ type: "pong", re: 1, now_ms: 0 }); // the line itself is alive
      await vi.advanceTimersByTimeAsync(1_000);
    }
    await refused;
  });

  test("the lesson clock follows the pongs", async () => {
    const { connection, newest } = await opened();
    const ping = newest().last("ping");
    await vi.advanceTimersByTimeAsync(40);
    newest().say({ type: "pong", re: ping?.id, now_ms: 5_000 });
    expect(connection.clock.at(Date.now())).toBe(1_040); // the welcome took no time at all: it is trusted more
  });
});
