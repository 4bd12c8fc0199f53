/** A presence as Vue sees it: its state in a ref, woken by what only a page knows, closed with the page. */

import { type InjectionKey, onScopeDispose, provide, readonly, ref, shallowRef, type ShallowRef } from "vue";
import type { Shown } from "../presence/shown";
import { Presence, type PresenceOptions, type PresenceState } from "../presence/presence";
import type { Socket } from "../protocol/connection";
import { keepSession, keptSession } from "./session";

/** Where the tiles of a page say how tall they show what they show. */
export const SHOWN: InjectionKey<Shown> = Symbol("shown");

export interface PresenceInUse {
  presence: Presence;
  state: Readonly<ShallowRef<PresenceState>>;
}

export function usePresence(
  lessonId: string,
  role: string,
  options: Pick<PresenceOptions, "hello" | "patient">,
): PresenceInUse {
  const presence = new Presence({
    ...options,
    openSocket: () => new WebSocket(socketUrl(lessonId)) as unknown as Socket,
    kept: keptSession(lessonId, role),
    keep: (kept) => keepSession(lessonId, role, kept),
  });
  provide(SHOWN, presence.shown);
  const state = shallowRef(presence.state);
  const stop = presence.subscribe(() => {
    state.value = presence.state;
    // Another window has taken the session over, or it is no more: do not fight for it after a reload.
    if (presence.state.closedBy) keepSession(lessonId, role, null);
  });

  const moved = () => presence.moved();
  const visible = () => document.visibilityState === "visible" && presence.nudge();
  addEventListener("online", moved);
  document.addEventListener("visibilitychange", visible);
  onScopeDispose(() => {
    removeEventListener("online", moved);
    document.removeEventListener("visibilitychange", visible);
    keepSession(lessonId, role, null); // left by the person, not by a reload
    stop();
    presence.close();
  });
  return { presence, state };
}

function socketUrl(lessonId: string): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/${encodeURIComponent(lessonId)}`;
}

/** Whether the browser thinks that there is a network. */
export function useOnline() {
  const online = ref(navigator.onLine);
  const update = () => (online.value = navigator.onLine);
  addEventListener("online", update);
  addEventListener("offline", update);
  onScopeDispose(() => {
    removeEventListener("online", update);
    removeEventListener("offline", update);
  });
  return readonly(online);
}

/** A ref that counts the seconds, for clocks on the page. */
export function useTick(everyMs = 1000) {
  const tick = ref(0);
  const timer = setInterval(() => (tick.value += 1), everyMs);
  onScopeDispose(() => clearInterval(timer));
  return readonly(tick);
}
