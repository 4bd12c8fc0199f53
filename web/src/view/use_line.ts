/** A place in a room without media: what a local teacher's phone needs of one, and no more. */

import { onScopeDispose, shallowRef, type ShallowRef } from "vue";
import { Connection, type ConnectionPhase, type Socket } from "../protocol/connection";
import type { Command, Hello } from "../protocol/messages";
import { EMPTY_ROOM, fromSnapshot, reduce, type RoomState } from "../room/reducer";

export interface Line {
  readonly phase: ConnectionPhase;
  readonly closedBy: string | null; // why it is over, a code of the protocol
  readonly me: string | null;
  readonly title: string;
  readonly room: RoomState;
  readonly refusal: string | null; // the server's word on the last thing asked
}

export interface LineInUse {
  state: Readonly<ShallowRef<Line>>;
  ask(command: Command): boolean;
  lessonNow(): number | null;
}

export function useLine(lessonId: string, hello: (renew: boolean) => Promise<Hello>): LineInUse {
  const state = shallowRef<Line>({ phase: "opening", closedBy: null, me: null, title: "", room: EMPTY_ROOM, refusal: null });
  const update = (fields: Partial<Line>) => (state.value = { ...state.value, ...fields });
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const connection = new Connection({
    open: () => new WebSocket(`${scheme}://${location.host}/ws/${encodeURIComponent(lessonId)}`) as unknown as Socket,
    hello,
    listener: {
      phase: (phase) => update({ phase }),
      welcome: ({ participant_id, title, snapshot }) => update({ me: participant_id, title, ...(snapshot ? { room: fromSnapshot(snapshot) } : {}) }),
      message: (message) => {
        if (message.type === "event") update({ room: reduce(state.value.room, message.event) });
        else if (message.type === "error") update({ refusal: message.code });
      },
      closed: (code) => update({ closedBy: code }),
    },
  });

  // A phone sleeps in a pocket: awake again, it does not wait.
  const awake = () => document.visibilityState === "visible" && connection.nudge();
  const online = () => connection.nudge();
  document.addEventListener("visibilitychange", awake);
  addEventListener("online", online);
  onScopeDispose(() => {
    document.removeEventListener("visibilitychange", awake);
    removeEventListener("online", online);
    connection.close();
  });
  return {
    state,
    ask(command) {
      update({ refusal: null });
      return connection.send(command);
    },
    lessonNow: () => connection.clock.at(performance.now()),
  };
}
