/** Who sits here: the account that is signed in, and the passes of a class, which has none. */

import { shallowRef } from "vue";
import { requestGrant, type User, whoAmI } from "../protocol/account_api";
import { returnToClass } from "../protocol/class_api";
import { RequestError } from "../protocol/connection";
import { ApiError } from "../protocol/http";
import type { Hello } from "../protocol/messages";
import type { Kept } from "../presence/presence";

/** null: nobody is signed in; undefined: not asked yet. */
export const user = shallowRef<User | null | undefined>(undefined);

/** Whether this account keeps schools and accounts: all, its region's or its own school's. */
export const administers = (who: User | null | undefined): boolean => /admin$/.test(who?.role ?? "");

export async function askWhoAmI(): Promise<User | null> {
  if (user.value === undefined) user.value = await whoAmI();
  return user.value;
}

/** What a class got for its code, which is kept nowhere. Lives as long as the tab, so that a reload stays in the lesson. */
export interface Pass {
  lessonId: string;
  token: string;
  name: string;
  headcount: number | null;
  startsAt: string | null; // planned
}

export function passFor(lessonId: string): Pass | null {
  return read<Pass>(`tongke.pass.${lessonId}`);
}

export function keepPass(pass: Pass): void {
  write(`tongke.pass.${pass.lessonId}`, pass);
}

export const keptSession = (lessonId: string, role: string): Kept | null =>
  read<Kept>(`tongke.session.${role}.${lessonId}`);
export const keepSession = (lessonId: string, role: string, kept: Kept | null): void =>
  write(`tongke.session.${role}.${lessonId}`, kept);

/** A pass for a browser that entered this lesson before, by its cookie. Throws RequestError for any other. */
export async function renewPass(lessonId: string): Promise<Pass> {
  const kept = passFor(lessonId);
  const entry = await orRefused(returnToClass(lessonId, kept?.name));
  const pass: Pass = {
    lessonId,
    token: entry.token,
    name: kept?.name ?? entry.name ?? "",
    headcount: kept?.headcount ?? entry.headcount,
    startsAt: entry.starts_at,
  };
  keepPass(pass);
  return pass;
}

/** The hello of a class: its pass, exchanged again when it has run out. */
export async function helloOfClass(pass: Pass, renew: boolean): Promise<Hello> {
  if (renew) pass = await renewPass(pass.lessonId);
  return {
    type: "hello",
    token: pass.token,
    ...(pass.name ? { name: pass.name } : {}),
    ...(pass.headcount ? { headcount: pass.headcount } : {}),
  };
}

/** The hello of an account: a fresh grant each time, they are short-lived. */
export async function helloOfAccount(lessonId: string, role: string, invitation = ""): Promise<Hello> {
  return { type: "hello", token: (await orRefused(requestGrant(lessonId, role, invitation))).token };
}

/** The invitation in a second teacher's link, kept for the tab while they log in. */
export function keepInvitation(lessonId: string, invitation: string): void {
  write(`tongke.invitation.${lessonId}`, invitation);
}

export const keptInvitation = (lessonId: string): string => read<string>(`tongke.invitation.${lessonId}`) ?? "";

/** A refusal is final and has a code; a network that is gone, or a server that restarts, is worth another try. */
async function orRefused<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const refused = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
    throw refused ? new RequestError(error.code) : error;
  }
}

function read<T>(key: string): T | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") as T | null;
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // without storage a reload enters anew
  }
}
