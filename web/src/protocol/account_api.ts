/** Accounts that sign in, and the grants they get for a lesson. Apart from the other REST calls, which no class needs. */

import { nullable, shape, text } from "./decode";
import { json } from "./http";

export interface User {
  name: string;
  role: string;
}

export interface Grant {
  token: string;
  role: string;
}

const user = shape<User>({ name: text, role: text });

export async function whoAmI(): Promise<User | null> {
  return shape<{ user: User | null }>({ user: nullable(user) })(await json("/api/session"), "").user;
}

export async function signIn(name: string, password: string): Promise<User> {
  const reply = await json("/api/session", { method: "POST", body: { name, password } });
  return shape<{ user: User }>({ user })(reply, "").user;
}

export async function signOut(): Promise<void> {
  await json("/api/session", { method: "DELETE" });
}

export async function requestGrant(lessonId: string, role: string, invitation = ""): Promise<Grant> {
  const reply = await json(`/api/lessons/${encodeURIComponent(lessonId)}/grants`, { method: "POST", body: { role, ...(invitation ? { invitation } : {}) } });
  return shape<Grant>({ token: text, role: text })(reply, "");
}
